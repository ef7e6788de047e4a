/**
 * Machine-wide slots: at most so many processes do a costly thing at once, the others wait. A slot is a lock on an
 * otherwise empty SQLite file, so the kernel frees it when its holder dies, however it dies. Used for password
 * hashing (128 MiB each), which strangers can cause at will, and for the nightly run, of which there is one.
 */
import { join } from "node:path";
import { TryLater } from "../util/failure.ts";
import { connectFile, translate } from "./database.ts";

export interface SlotOptions {
  /** Where the files of the slots are; they hold nothing. */
  readonly folder: string;
  readonly name: string;
  readonly count: number;
  /** How long to wait for a slot. */
  readonly waitMs: number;
  readonly addonFile?: string | undefined;
}

/**
 * Runs the work while holding a slot. The wait blocks this process: only for programs that do one thing.
 * @throws TryLater if no slot came free in time
 */
export async function withSlot<Result>(options: SlotOptions, work: () => Promise<Result>): Promise<Result> {
  const { folder, name, count, waitMs, addonFile } = options;
  // Spread by process number: a free slot may be missed while another is waited for, but none is ever exceeded.
  const file = join(folder, `${name}-${process.pid % count}.lock`);
  const db = connectFile({ file, busyMs: waitMs, addonFile }, false);
  try {
    try {
      db.exec("BEGIN EXCLUSIVE");
    } catch (cause) {
      throw new TryLater(`all ${count} slots for ${name} were taken for ${waitMs / 1000} s`, {
        cause: translate(cause),
      });
    }
    return await work();
  } finally {
    db.close();
  }
}
