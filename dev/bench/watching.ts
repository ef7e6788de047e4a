/** How many programs of a host run, and what they take, looked at again and again while a crowd asks. Called by crowd.ts. */
import { readdirSync, readFileSync } from "node:fs";
import type { Kind } from "./hosting.ts";

export interface Watching {
  readonly end: () => { readonly most: number; readonly memoryMiB: number | undefined };
}

const countEveryMs = 20;
/** Working out a process's part of what it shares takes the kernel a while. */
const weighEvery = 5;

/** `pools`: the processes that start programs, or those that stay, which are programs themselves. */
export function watchPrograms(pools: readonly number[], kind: Kind): Watching {
  /** Those of others, of which there are many, and which stay what they are. */
  const others = new Set(readdirSync("/proc").filter((id) => !/^\d+$/.test(id)));
  let [most, mostKiB, looks, isWeighed] = [0, 0, 0, true];
  const timer = setInterval(() => {
    const found = kind === "resident" ? pools : listChildren(pools, others);
    most = Math.max(most, found.length);
    looks += 1;
    if (looks % weighEvery !== 0) return;
    const weights = found.map(weigh);
    if (weights.some((weight) => weight === "unknown")) isWeighed = false;
    mostKiB = Math.max(
      mostKiB,
      weights.reduce<number>((sum, weight) => sum + Number(weight), 0),
    );
  }, countEveryMs);
  return {
    end: () => {
      clearInterval(timer);
      return { most, memoryMiB: isWeighed ? mostKiB / 1024 : undefined };
    },
  };
}

/** Those that run; not those that have ended, and wait for their parent to see it. */
function listChildren(parents: readonly number[], others: Set<string>): readonly number[] {
  return readdirSync("/proc").flatMap((id) => {
    if (others.has(id)) return [];
    try {
      // "PID (NAME) STATE PARENT ...", where a name may have any sign in it.
      const text = readFileSync(`/proc/${id}/stat`, "latin1");
      const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
      if (parents.includes(Number(parent))) return state === "Z" ? [] : [Number(id)];
      others.add(id);
    } catch {
      // It has ended.
    }
    return [];
  });
}

/** KiB; 0 where it has ended meanwhile. */
function weigh(id: number): number | "unknown" {
  try {
    const [, pss] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "latin1")) ?? [];
    return Number(pss ?? 0);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ENOENT" || code === "ESRCH" ? 0 : "unknown";
  }
}
