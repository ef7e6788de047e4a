/**
 * Whether a site whose links were all right still is after some bodies changed: the links of those pages, and those of
 * others to ids that are gone. Says no where it cannot tell; a whole build then finds out, and says what is wrong.
 */
import type { Settings } from "../lib/util/settings.ts";
import { openPacked, shareText, unpack } from "./facts.ts";
import { compareText } from "./fault.ts";
import { addressOf, type Page } from "./page.ts";
import type { KeptPage, Records } from "./records.ts";
import { addonPath } from "./release.ts";
import type { Kept } from "./state.ts";
import { type Ids, type Judge, makeIds, makeJudge } from "./targets.ts";

/** A page whose body may have changed. */
export interface Change {
  /** Its source's place among all of them. */
  readonly index: number;
  readonly page: Page;
  readonly old: KeptPage;
}

interface Ground {
  readonly settings: Pick<Settings, "url" | "search">;
  readonly kept: Kept;
  readonly records: Records;
}

export function isSound(changes: readonly Change[], ground: Ground): boolean {
  const { settings, kept, records } = ground;
  // Compressed files stand behind the addon; they are no links' targets.
  const files = kept.paths.slice(0, kept.paths.indexOf(addonPath));
  const judge = makeJudge({
    settings,
    // They are in their order.
    hasOutput: (output) => hasSorted(files, `www/${output}`),
    outputs: () => files.flatMap((path) => (path.startsWith("www/") ? [path.slice(4)] : [])),
    idsOf: gatherIds(changes, ground),
    pageAt: () => undefined,
    whyNot: () => undefined,
  });
  return changes.every(({ page, old }) => {
    const outside = records.outsides[old.outside];
    if (outside === undefined) return false;
    const { ids, targets } = page.facts;
    const isRight = (target: string): boolean => judge.judge(target, page.path) === undefined;
    if (![...unpack(targets), ...unpack(outside.targets)].every(isRight)) return false;
    if (shareText(ids, outside.ids)) return false;
    const isThere = openPacked(ids);
    const gone = unpack(old.facts.ids).filter((id) => !isThere(id));
    return gone.length === 0 || !isMissed(gone, changes, ground, judge);
  });
}

function hasSorted(sorted: readonly string[], text: string): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(sorted[middle] ?? "", text) < 0) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === text;
}

const few = 30;

/** By the output, which is the source's name but for Markdown's ending. */
function gatherIds(changes: readonly Change[], { kept, records }: Ground) {
  const changed = new Map(changes.map(({ page, old }) => [page.source.output, { page, old }]));
  const known = new Map<string, Ids | undefined>();
  let places: ReadonlyMap<string, number> | undefined;
  const findPlace = (output: string): number => {
    // A few are looked for more quickly than all are put in order.
    if (known.size < few) {
      const place = kept.sources.indexOf(`content/${output}`);
      return place >= 0 ? place : kept.sources.indexOf(`content/${output.replace(/html$/, "md")}`);
    }
    places ??= new Map(kept.sources.map((file, index) => [outputOf(file), index]));
    return places.get(output) ?? -1;
  };
  return (output: string): Ids | undefined => {
    if (known.has(output)) return known.get(output);
    const own = changed.get(output);
    const record = own?.old ?? records.read(findPlace(output));
    const ids = own?.page.facts.ids ?? record?.facts.ids;
    const outside = record === undefined ? undefined : records.outsides[record.outside];
    const all = ids === undefined ? undefined : makeIds(ids, outside?.ids ?? "");
    known.set(output, all);
    return all;
  };
}

function outputOf(file: string): string {
  const path = file.slice("content/".length);
  return path.endsWith(".md") ? `${path.slice(0, -3)}.html` : path;
}

/** True if an id that is gone is linked to, or may be. */
function isMissed(
  gone: readonly string[],
  changes: readonly Change[],
  { kept, records }: Ground,
  { judge }: Judge,
): boolean {
  const changed = new Set(changes.map(({ index }) => index));
  // An id that an address may spell in several ways is not searched for.
  if (gone.some((id) => !/^[\w-]+$/.test(id))) return true;
  const names = gone.map((id) => `#${id}`);
  const mayMean = (target: string): boolean =>
    names.some((name) => target.includes(name)) || /#.*%/.test(target);
  // Where "#id" in a layout leads depends on the page; the changed ones were asked already.
  const inLayouts = records.outsides.flatMap(({ targets }) => unpack(targets).filter(mayMean));
  for (const target of new Set(inLayouts))
    if (!target.startsWith("#") && (!target.startsWith("/") || judge(target, "/") !== undefined)) return true;
  return kept.sources.some((file, index) => {
    const raw = records.raw(index);
    if (changed.has(index) || !(raw.includes("%") || names.some((name) => raw.includes(name)))) return false;
    const targets = unpack(records.read(index)?.facts.targets ?? "");
    const path = addressOf(outputOf(file));
    return targets.some((target) => mayMean(target) && judge(target, path) !== undefined);
  });
}
