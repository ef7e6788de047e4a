/** Markdown bodies to HTML, by marked (GitHub's flavour); imported here only. Headings get ids to link to. */
import { Marked, type Tokens } from "marked";

export function renderMarkdown(text: string): string {
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
  return engine.parse(text) as string;
}

/** "What is a day?" -> "what-is-a-day"; a second one gets "-2". Letters of every script stay. */
function uniqueId(used: Map<string, number>, heading: string): string {
  const words = heading.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ["section"];
  const id = words.join("-");
  const count = (used.get(id) ?? 0) + 1;
  used.set(id, count);
  return count === 1 ? id : `${id}-${count}`;
}
