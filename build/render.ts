/**
 * Many pages of Markdown read and rendered at once. As a module it is the function; started as a worker it does the same
 * for whoever started it (crew.ts), and sends the bytes without copying them.
 */
import { parentPort } from "node:worker_threads";
import { renderMarkdown } from "./markdown.ts";
import { type Raw, readRaw } from "./raw.ts";
import { makeReader } from "./reader.ts";

/** What the bodies of a batch are kept in, one behind the other, and the rest of each page; undefined where one cannot be read. */
export interface Rendered {
  readonly number: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: readonly ((Omit<Raw, "body"> & { readonly length: number }) | undefined)[];
}

export interface Batch {
  readonly number: number;
  /** Absolute paths. */
  readonly files: readonly string[];
}

const read = makeReader();

export function renderBatch({ number, files }: Batch): Rendered {
  const bodies: Buffer[] = [];
  const pages = files.map((absolute) => {
    const raw = readRaw({ absolute, kind: "markdown" }, { read, renderMarkdown });
    // What is too much for this thread may not be too much for the first.
    if (!("body" in raw) || raw.faults.some(({ line }) => line === 0)) return undefined;
    const { body, ...rest } = raw;
    bodies.push(body);
    return { ...rest, length: body.length };
  });
  // Memory of its own, which can be given away.
  const bytes = new Uint8Array(bodies.reduce((sum, { length }) => sum + length, 0));
  let used = 0;
  for (const body of bodies) {
    bytes.set(body, used);
    used += body.length;
  }
  return { number, bytes, pages };
}

// Undefined in the main thread.
parentPort?.on("message", (batch: Batch) => {
  const rendered = renderBatch(batch);
  parentPort?.postMessage(rendered, [rendered.bytes.buffer]);
});
