/** Markdown bodies to HTML, by marked (GitHub's flavour); imported here only. Headings get ids to link to. */
import { Marked, type Tokens } from "marked";

export function renderMarkdown(text: string): string {
  return makeEngine().parse(text) as string;
}

/** A piece of the text between blank lines, and where its HTML ends in what renderMarkdown makes of the whole. */
export interface Block {
  /** Where it begins in the text, in lines from 0. */
  readonly line: number;
  readonly source: string;
  readonly htmlEnd: number;
}

/** The blocks in their order; undefined where they do not make the same HTML one by one. */
export function mapMarkdown(text: string): readonly Block[] | undefined {
  const engine = makeEngine();
  const blocks: Block[] = [];
  const tokens = engine.lexer(text);
  let [line, html] = [0, ""];
  for (const token of tokens) {
    html += engine.parser([token]);
    blocks.push({ line, source: token.raw, htmlEnd: html.length });
    line += token.raw.split("\n").length - 1;
  }
  return html === renderMarkdown(text) ? blocks : undefined;
}

function makeEngine(): Marked {
  const used = new Map<string, number>();
  const engine = new Marked({ gfm: true, async: false });
  engine.use({
    renderer: {
      heading(token: Tokens.Heading): string {
        const html = this.parser.parseInline(token.tokens);
        return `<h${token.depth} id="${uniqueId(used, token.text)}">${html}</h${token.depth}>\n`;
      },
    },
  });
  return engine;
}

/** "What is a day?" -> "what-is-a-day"; a second one gets "-2". Letters of every script stay. */
function uniqueId(used: Map<string, number>, heading: string): string {
  const words = heading.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ["section"];
  const id = words.join("-");
  const count = (used.get(id) ?? 0) + 1;
  used.set(id, count);
  return count === 1 ? id : `${id}-${count}`;
}
