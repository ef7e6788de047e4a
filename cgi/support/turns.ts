/**
 * Work that must wait its turn within a process: so many at once, the others in the order in which they came, and no longer than
 * is worth while. Of a flood nothing is left when it is over: whoever comes too late to have a turn in time is told at once, and work
 * for which nobody waits any more leaves the line before its turn. Called by resident.ts; programs by CGI have lib/store/slot.ts.
 */
import { TryLater } from "../../lib/util/failure.ts";

export interface Turns {
  /** How many at once. */
  readonly count: number;
  /** How long a turn is waited for. */
  readonly waitMs: number;
}

/** About as long as the hashing of a password takes. */
const turnMs = 1000;

/** `gone` says when nobody waits for the work any more. */
export type TakeTurn = <Result>(work: () => Promise<Result>, gone: AbortSignal) => Promise<Result>;

/** The work throws TryLater, without having begun, if its turn did not come in time, or nobody waits for it any more. */
export function makeTurns({ count, waitMs }: Turns): TakeTurn {
  const waiting = new Set<() => void>();
  const most = Math.ceil((count * waitMs) / turnMs);
  let free = count;
  const waitTurn = (gone: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(begin);
        clearTimeout(timer);
        gone.removeEventListener("abort", giveUp);
      };
      const begin = (): void => {
        leave();
        resolve();
      };
      const giveUp = (): void => {
        leave();
        reject(new TryLater(nobodyWaits));
      };
      const timer = setTimeout(() => {
        leave();
        reject(new TryLater(`all ${count} turns were taken for ${waitMs / 1000} s`));
      }, waitMs);
      gone.addEventListener("abort", giveUp);
      waiting.add(begin);
    });
  return async (work, gone) => {
    if (gone.aborted) throw new TryLater(nobodyWaits);
    if (free > 0) free -= 1;
    else if (waiting.size >= most) throw new TryLater(`${most} wait for one of ${count} turns already`);
    else await waitTurn(gone);
    try {
      return await work();
    } finally {
      // The turn is handed on, or given back.
      const [next] = waiting;
      if (next === undefined) free += 1;
      else next();
    }
  };
}

const nobodyWaits = "nobody waits for the answer any more; its work was not begun";
