/**
 * Markdown as marked reads it, but sooner and within bounds: what is nothing but words is seen at a glance, what no line of
 * a page can be is not looked for, and quotes and lists may lie in each other so deep and no deeper. The tokens are those
 * that marked itself makes. Called by markdown.ts.
 */
import { Lexer, type MarkedOptions, type Token, Tokenizer, type TokenizerObject } from "marked";

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
  reading = { depth: 0, hasRules: /[-=|:][ \t]*(?:[\r\n]|$)/.test(text) };
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

/**
 * What is nothing but text, and says so at a glance: words, with one space or line end behind each, up to what may be
 * more. marked's own form looks at every letter in a dozen ways, which took a third of the time that a page takes.
 */
const plainWords = /^(?:[A-Za-z0-9'()/\-\u0080-\uffff]+[.,;:]?[ \n](?=[^ \n]))+/;
const onlyWords = /^(?:[A-Za-z0-9'()/\-\u0080-\uffff]+[.,;:]?[ \n])*[A-Za-z0-9'()/\-\u0080-\uffff]+[.,;:]?$/;

class QuickLexer extends Lexer<string, string> {
  override inlineTokens(text: string, tokens: Token[] = []): Token[] {
    if (tokens.length > 0 || !onlyWords.test(text)) return super.inlineTokens(text, tokens);
    tokens.push({ type: "text", raw: text, text, escaped: this.state.inRawBlock });
    return tokens;
  }
}
