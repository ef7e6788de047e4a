/**
 * A process that stays must not be held up for ever by one request that runs in circles: nothing in the process itself could end that,
 * since its timers wait for it too. A thread of its own looks whether the process still comes round, and ends it if it does
 * not; whatever started it starts it again. What was in the middle of a transaction is undone, as after any death. Called by resident.ts.
 */
import { Worker } from "node:worker_threads";

/** Looked at so often within the time, so that a process that was only stopped for a while is not taken for one that hangs. */
const looks = 3;

export function watchProcess(seconds: number): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const lookMs = (seconds * 1000) / looks;
  const words = JSON.stringify(`this process did nothing else for ${seconds} seconds: it ends\n`);
  const code = `const beats = require("node:worker_threads").workerData;
for (let missed = 0; missed < ${looks}; ) {
  const isMissed = Atomics.wait(beats, 0, Atomics.load(beats, 0), ${lookMs}) === "timed-out";
  missed = isMissed ? missed + 1 : 0;
}
require("node:fs").writeSync(2, ${words});
process.kill(process.pid, "SIGKILL");`;
  new Worker(code, { eval: true, workerData: beats }).unref();
  const beat = (): void => {
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
  };
  setInterval(beat, lookMs / 4).unref();
}
