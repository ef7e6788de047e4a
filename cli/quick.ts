/**
 * `site build` alone, as a file of its own (build/bundle.ts): a build of a small site is over in the time that it takes to load
 * all other commands. Called by cli/site.
 */
import { writeSync } from "node:fs";
import { hasCode } from "../lib/util/failure.ts";
import { addBuildCommand } from "./build.ts";
import { serveDesk } from "./desk.ts";

export function runCommand(): Promise<readonly string[]> {
  return serveDesk((use) => new Map([["build", (program) => addBuildCommand(program, { use, say })]]));
}

/** As console.log, for which Node loads its streams: that would be a twentieth of a small build. */
function say(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      // Whoever reads may go, and what is being done goes on.
      if (hasCode(error, ["EPIPE"])) return;
      if (!hasCode(error, ["EAGAIN"])) throw error;
      // Whoever reads is slow, and somebody told the pipe not to wait.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
