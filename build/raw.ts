/**
 * The source of a page as bytes: its header block, and its body as HTML. Needs nothing of the site, so that many can be
 * read at once. Called by page.ts, and in threads of their own by render.ts.
 */
import type { Rendered } from "./markdown.ts";
import { isText, type Reader, type Stamp } from "./reader.ts";
import type { Source } from "./sources.ts";
import { explainUnreadable, readUtf8 } from "./text.ts";

export interface Raw {
  readonly stamp: Stamp;
  /** The header block as it is written, with both its lines; "" where there is none. */
  readonly head: string;
  /** HTML; good until the next source is read. */
  readonly body: Buffer;
  /** Of the body, lines counted from its beginning. With one of line 0 the body is good for nothing. */
  readonly faults: Rendered["faults"];
}

export interface RawTools {
  readonly read: Reader;
  /** Undefined where no source is Markdown. */
  readonly renderMarkdown: ((text: string) => Rendered) | undefined;
}

/** The renderer if one of the sources is Markdown: it and its library take a while to load. */
export async function findRenderer(sources: readonly Source[]): Promise<RawTools["renderMarkdown"]> {
  if (!sources.some(({ kind }) => kind === "markdown")) return undefined;
  return (await import("./markdown.ts")).renderMarkdown;
}

/** Or what is wrong with the file, in which line. */
export function readRaw(
  { absolute, kind }: Pick<Source, "absolute" | "kind">,
  { read, renderMarkdown }: RawTools,
): Raw | { readonly line: number; readonly message: string } {
  let file: ReturnType<Reader>;
  try {
    file = read(absolute);
  } catch (error) {
    return { line: 0, message: explainUnreadable(error) };
  }
  if (!isText(file.bytes)) {
    const text = readUtf8(absolute);
    if (typeof text !== "string") return text;
  }
  const bytes = skipMark(file.bytes);
  const headLength = measureHead(bytes);
  const head = bytes.toString("utf8", 0, headLength);
  const body = bytes.subarray(headLength);
  if (kind !== "markdown" || renderMarkdown === undefined)
    return { stamp: file.stamp, head, body, faults: [] };
  const { html, faults } = renderMarkdown(body.toString("utf8"));
  return { stamp: file.stamp, head, body: Buffer.from(html), faults };
}

/** Editors of another system begin a text with a byte order mark. */
function skipMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

const [lineFeed, hyphen] = [0x0a, 0x2d];

/** How many bytes the header block takes; all of them where it never ends. */
function measureHead(bytes: Buffer): number {
  const first = endOfMark(bytes, 0);
  if (first === undefined) return 0;
  for (let at = first; at < bytes.length; ) {
    const end = endOfMark(bytes, at);
    if (end !== undefined) return end;
    const next = bytes.indexOf(lineFeed, at);
    if (next < 0) break;
    at = next + 1;
  }
  return bytes.length;
}

/** Where the line after `---` begins, if that is what stands at `at`. */
function endOfMark(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] !== hyphen || bytes[at + 1] !== hyphen || bytes[at + 2] !== hyphen) return undefined;
  let end = at + 3;
  while (bytes[end] === 0x20 || bytes[end] === 0x09) end += 1;
  if (bytes[end] === 0x0d) end += 1;
  if (end >= bytes.length) return bytes.length;
  return bytes[end] === lineFeed ? end + 1 : undefined;
}
