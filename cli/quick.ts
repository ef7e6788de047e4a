/**
 * `site build` alone, as a file of its own (build/bundle.ts): a build of a small site is over in the time that it takes to load
 * all other commands. Called by cli/site.
 */
import { writeSync } from "node:fs";
import { hasCode, NeedsHuman } from "../lib/util/failure.ts";
import { addBuildCommand } from "./build.ts";
import { serveDesk } from "./desk.ts";

export function runCommand(): Promise<readonly string[]> {
  const say = (line: string): void => write(`${line}\n`);
  return serveDesk((use) => new Map([["build", (program) => addBuildCommand(program, { use, say })]]), write);
}

/** As process.stdout does, for which Node loads its streams: that would be a twentieth of a small build. */
function write(text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (cause) {
      // Whoever reads may go, and what is being done goes on.
      if (hasCode(cause, ["EPIPE"])) return;
      if (!hasCode(cause, ["EAGAIN"]))
        throw new NeedsHuman("what was done cannot be said: standard output cannot be written", { cause });
      // Whoever reads is slow, and somebody told the pipe not to wait.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
