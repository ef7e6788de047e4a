/**
 * A text as it is sent compressed, in both forms that browsers ask for. As a module it is the function; started as a
 * worker it does the same for whoever started it (compress.ts), so it imports nothing that would take long to load.
 *
 * Brotli at its best takes 8 to 10 ms for a page of 4 to 6 KB and makes it 31 to 32 % of its size; quality 5 takes 0.2
 * to 0.4 ms for 34 to 37 %, and 6 to 9 make no page smaller than 5 does. So pages, which are many, are made with 5,
 * and all else, of which there is little, and which every page asks for, with 11. It depends on nothing but the name,
 * so that a text has the same bytes whenever it is made, by one version of Node.
 */
import { parentPort } from "node:worker_threads";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** Both empty where they would not be smaller than the text. */
export interface Squeezed {
  readonly br: Uint8Array;
  readonly gz: Uint8Array;
}

export type Quality = 5 | 11;

export interface Job {
  readonly text: Uint8Array;
  readonly quality: Quality;
}

export function qualityOf(path: string): Quality {
  return path.endsWith(".html") ? 5 : 11;
}

export function squeeze({ text, quality }: Job): Squeezed {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  };
  const [br, gz] = [brotliCompressSync(text, { params }), gzipSync(text, { level: 9 })];
  const ifSmaller = (bytes: Buffer): Uint8Array => (bytes.length < text.length ? bytes : none);
  return { br: ifSmaller(br), gz: ifSmaller(gz) };
}

const none = new Uint8Array(0);

// Undefined in the main thread.
parentPort?.on("message", (jobs: readonly Job[]) => parentPort?.postMessage(jobs.map(squeeze)));
