/**
 * An older release served again: the one before the current one, and the next time the one before that. It is tried first, on these
 * books: one that cannot read them any more is not served. Called by cli/rollback.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { compareText } from "./fault.ts";
import { type Taken, type TakeOptions, takeRelease } from "./host/take.ts";
import { readCurrent, readRefused } from "./shelf.ts";

/** The releases that can be served, oldest first, and which is. */
export function listReleases(outFolder: string): {
  readonly ids: readonly string[];
  readonly current: string | undefined;
} {
  const folder = join(outFolder, "releases");
  const refused = readRefused(outFolder);
  const there = existsSync(folder) ? readdirSync(folder).sort(compareText) : [];
  const ids = there.filter((name) => !refused.includes(name));
  const current = readCurrent(outFolder);
  return { ids, current: current === undefined ? undefined : basename(current) };
}

/** `id`: which one; the one before the current one unless told. */
export async function rollBack(
  options: Omit<TakeOptions, "id" | "mayMigrate"> & { readonly id?: string | undefined },
): Promise<Taken> {
  const { outFolder, id } = options;
  const { ids, current } = listReleases(outFolder);
  const refuse = (fault: string): Taken => ({ ok: false, faults: [fault] });
  if (current === undefined) return refuse(`${outFolder}: no release is served; run: site build`);
  const to = id ?? ids.filter((name) => name < current).at(-1);
  if (to === undefined) return refuse(`there is no release before ${current}; there are: ${ids.join(", ")}`);
  if (!ids.includes(to)) return refuse(`there is no release ${to}; there are: ${ids.join(", ")}`);
  return takeRelease({ ...options, id: to, mayMigrate: false });
}
