/** What a command is doing, for people who wait: one line on the terminal that is always the newest, and gone at the end. */
import { fstatSync } from "node:fs";
import { runningMs } from "../lib/util/clock.ts";

export interface Progress {
  readonly show: (line: string) => void;
  readonly clear: () => void;
}

/** Whoever gets the answer at once needs no progress. */
const waitMs = 400;
/** A line that changes more often is not read. */
const restMs = 80;

/** Silent where nobody looks: on anything but a terminal, and where `isWanted` is false. */
export function makeProgress(isWanted: boolean, given?: NodeJS.WriteStream): Progress {
  // No terminal is anything but a device; and to ask a stream, Node has to load it.
  const isSilent = !isWanted || (given === undefined && !fstatSync(2).isCharacterDevice());
  if (isSilent) return { show: () => undefined, clear: () => undefined };
  const stream = given ?? process.stderr;
  const isShown = stream.isTTY === true;
  let nextMs = runningMs() + waitMs;
  let isThere = false;
  return {
    show: (line) => {
      const nowMs = runningMs();
      if (!isShown || nowMs < nextMs) return;
      nextMs = nowMs + restMs;
      isThere = true;
      // A line that the terminal folds could not be taken back.
      stream.write(`\r\x1b[K${line.slice(0, Math.max(1, stream.columns - 1))}`);
    },
    clear: () => {
      if (isThere) stream.write("\r\x1b[K");
      isThere = false;
    },
  };
}
