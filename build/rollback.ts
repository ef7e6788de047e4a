/**
 * An older release served again: the one before the current one, and the next time the one before that. It is tried first, on these
 * books: one that cannot read them any more is not served. Called by cli/rollback.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { compareText } from "./fault.ts";
import { pointCurrent, readCurrent } from "./shelf.ts";
import { smokeRelease } from "./smoke.ts";

export type RolledBack =
  | {
      readonly ok: true;
      readonly from: string;
      readonly to: string;
      /** Configuration of the servers that is another one in it: they must be told. */
      readonly changedConfiguration: readonly string[];
    }
  | { readonly ok: false; readonly faults: readonly string[] };

/** The releases that can be served, oldest first, and which is. */
export function listReleases(outFolder: string): {
  readonly ids: readonly string[];
  readonly current: string | undefined;
} {
  const folder = join(outFolder, "releases");
  const ids = existsSync(folder) ? readdirSync(folder).sort(compareText) : [];
  const current = readCurrent(outFolder);
  return { ids, current: current === undefined ? undefined : basename(current) };
}

/** `id`: which one; the one before the current one unless told. With `isDry` it is only tried. */
export function rollBack(options: {
  readonly outFolder: string;
  readonly dataFolder: string;
  readonly id?: string | undefined;
  readonly isDry: boolean;
}): RolledBack {
  const { outFolder, dataFolder, id, isDry } = options;
  const { ids, current } = listReleases(outFolder);
  const refuse = (...faults: readonly string[]): RolledBack => ({ ok: false, faults });
  if (current === undefined) return refuse(`${outFolder}: no release is served; run: site build`);
  const to = id ?? ids.filter((name) => name < current).at(-1);
  if (to === undefined) return refuse(`there is no release before ${current}; there are: ${ids.join(", ")}`);
  if (!ids.includes(to)) return refuse(`there is no release ${to}; there are: ${ids.join(", ")}`);
  const [before, after] = [current, to].map((name) => join(outFolder, "releases", name)) as [string, string];
  const wrong = smokeRelease(after, dataFolder);
  if (wrong.length > 0) return refuse(...wrong.map((line) => `${to}: ${line}`));
  if (!isDry) pointCurrent(outFolder, to);
  return { ok: true, from: current, to, changedConfiguration: findChanged(before, after) };
}

function findChanged(before: string, after: string): readonly string[] {
  const list = (release: string): readonly string[] =>
    readdirSync(join(release, "etc"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(release.length + 1));
  const read = (release: string, path: string): string | undefined =>
    existsSync(join(release, path)) ? readFileSync(join(release, path), "utf8") : undefined;
  const paths = [...new Set([...list(before), ...list(after)])].sort(compareText);
  return paths.filter((path) => read(before, path) !== read(after, path));
}
