/**
 * Markdown as marked reads it, but sooner and within bounds: what is nothing but words is seen at a glance, what no line of
 * a page can be is not looked for, and quotes and lists may lie in each other so deep and no deeper. The tokens are those
 * that marked itself makes. Called by markdown.ts.
 */
import { Lexer, type MarkedOptions, type Token, Tokenizer, type TokenizerObject, type Tokens } from "marked";

/** Like the error of a stack that is full, which is the other way in which a page can be too much. */
export class TooDeep extends RangeError {
  constructor() {
    super("quotes or lists lie in each other too deeply");
  }
}

interface Reading {
  /** How many quotes and lists lie around what is being read. */
  depth: number;
  /** False where no line can be one that is drawn below a heading, or below the head of a table. */
  readonly hasRules: boolean;
}

/** Nothing here waits, so no two pages can meet. */
let reading: Reading = { depth: 0, hasRules: true };

/**
 * The blocks of a page. `options`: with the tokenizer below in them.
 * @throws RangeError if it is more than a stack or a regular expression holds
 */
export function readTokens(text: string, options: MarkedOptions<string, string>): Token[] {
  reading = { depth: 0, hasRules: /[-=|:][^\S\n]*(?:\n|$)/.test(text) };
  return new QuickLexer(options).lex(text);
}

/** More than anybody writes. Each level reads all that lies in it once more, so that a thousand would take minutes. */
const deepest = 64;

function readDeeper<Read>(read: () => Read): Read {
  reading.depth += 1;
  if (reading.depth > deepest) throw new TooDeep();
  const result = read();
  reading.depth -= 1;
  return result;
}

const usual = Tokenizer.prototype as Tokenizer<string, string>;
export const tokenizer: TokenizerObject<string, string> = {
  list(text) {
    const simple = readSimpleList(text, this.lexer);
    if (simple !== undefined) return simple;
    return readDeeper(() => usual.list.call(this, text));
  },
  blockquote(text) {
    return readDeeper(() => usual.blockquote.call(this, text));
  },
  table() {
    return reading.hasRules ? false : undefined;
  },
  lheading() {
    return reading.hasRules ? false : undefined;
  },
  inlineText(text) {
    const [words] = plainWords.exec(text) ?? [];
    if (words === undefined) return usual.inlineText.call(this, text);
    // Texts that follow one another become one.
    return { type: "text", raw: words, text: words, escaped: this.lexer.state.inRawBlock };
  },
};

/** A list of single lines, each of which can be nothing but words and what stands between words, with nothing more behind it. */
const simpleList = /^(?:- [A-Za-z](?:[^\n\t]*\S)?\n)*- [A-Za-z](?:[^\n\t]*\S)?(?=\n\n[A-Za-z#]|\n?$)/;

/** Of a list as most are, what marked makes with a dozen regular expressions for each line. */
function readSimpleList(text: string, lexer: Lexer<string, string>): Tokens.List | undefined {
  const raw = text.startsWith("- ") ? simpleList.exec(text)?.[0] : undefined;
  if (raw === undefined) return undefined;
  const lines = raw.split("\n");
  const items = lines.map((line, index): Tokens.ListItem => {
    const words = line.slice(2);
    const tokens = [{ type: "text", raw: words, text: words, tokens: lexer.inline(words) }] as const;
    const own = index === lines.length - 1 ? line : `${line}\n`;
    return { type: "list_item", raw: own, task: false, loose: false, text: words, tokens: [...tokens] };
  });
  // As marked leaves it.
  lexer.state.top = true;
  return { type: "list", raw, ordered: false, start: "", loose: false, items };
}

/**
 * What is nothing but text, and says so at a glance: words, with one space or line end behind each, up to what may be
 * more. marked's own form looks at every letter in a dozen ways, which took a third of the time that a page takes.
 */
const plainWords = /^(?:[.,;:]?[ \n](?=[^ \n]))?(?:[A-Za-z0-9'()/\-\u0080-\uffff]+[.,;:]?[ \n](?=[^ \n]))+/;

/** Words between what stands out, and what stands out of them, so far as it can be nothing else wherever it stands. */
const someWords =
  /(?:[.,;:](?=[ \n]|$))?(?:[ \n](?=[^ \n]))?(?:[A-Za-z0-9'()/\-\u0080-\uffff]+[.,;:]?(?:[ \n](?=[^ \n])|$|(?=[`*[])))*/y;
const standingOut =
  /`([^`\n ](?:[^`\n]*[^`\n ])?)`(?!`)|(?<=^|[ \n(])\*\*([A-Za-z0-9](?:[A-Za-z0-9 ]*[A-Za-z0-9])?)\*\*(?=[ \n.,;:)]|$)|\[([A-Za-z0-9](?:[A-Za-z0-9 ]*[A-Za-z0-9])?)\]\(([A-Za-z0-9/._#:-]+)\)/y;

class QuickLexer extends Lexer<string, string> {
  override inlineTokens(text: string, tokens: Token[] = []): Token[] {
    if (tokens.length > 0 || this.state.inRawBlock) return super.inlineTokens(text, tokens);
    const simple = this.#readSimple(text);
    if (simple === undefined) return super.inlineTokens(text, tokens);
    // One by one: a stack does not hold as many as a long paragraph has.
    for (const token of simple) tokens.push(token);
    return tokens;
  }

  /** Undefined where there may be more in it than words, code, what is strong, and links. */
  #readSimple(text: string): readonly Token[] | undefined {
    const tokens: Token[] = [];
    let hasLink = false;
    for (let at = 0; at < text.length; ) {
      someWords.lastIndex = at;
      someWords.test(text);
      const end = someWords.lastIndex;
      if (end > at) {
        const raw = text.slice(at, end);
        tokens.push({ type: "text", raw, text: raw, escaped: false });
        at = end;
        if (at === text.length) break;
      }
      standingOut.lastIndex = at;
      const found = standingOut.exec(text);
      if (found === null) return undefined;
      const [raw, code, strong, label, href] = found;
      if (code !== undefined) tokens.push({ type: "codespan", raw, text: code });
      else if (strong !== undefined)
        tokens.push({ type: "strong", raw, text: strong, tokens: this.inlineTokens(strong) });
      else if (label === undefined || href === undefined || this.state.inLink) return undefined;
      else {
        tokens.push({ type: "link", raw, href, title: null, text: label, tokens: this.inlineTokens(label) });
        hasLink = true;
      }
      at += raw.length;
    }
    if (hasLink) this.state.linkEmitted = true;
    return tokens;
  }
}
