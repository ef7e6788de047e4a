/**
 * A whole build: every page read, checked, framed, and published, whatever the builds before left. Files that are the
 * same as in the release before are linked to it all the same. Called by build.ts.
 */
import { systemClock } from "../lib/util/clock.ts";
import { assert } from "../lib/util/failure.ts";
import type { Bodies } from "./bodies.ts";
import { type Bundles, openBundles } from "./bundles.ts";
import { compareText, type Fault } from "./fault.ts";
import { noteFolders } from "./folders.ts";
import { type FramedPage, makeDocument } from "./frame.ts";
import { frameSite } from "./frames.ts";
import { writeHost } from "./host/host.ts";
import { checkOutFolder } from "./outfolder.ts";
import { measureShown } from "./page.ts";
import { writePolicy } from "./policy.ts";
import { buildPrograms } from "./programs.ts";
import { describePlans, type Published, publishRelease } from "./publish.ts";
import { type KeptPage, writeRecords } from "./records.ts";
import type { Plan } from "./release.ts";
import { writeServerConf } from "./server.ts";
import { readSite, type Site } from "./site.ts";
import { makeStamps, putStamp } from "./stamps.ts";
import { type Counts, type Kept, openFacts, saveState } from "./state.ts";
import type { Task } from "./task.ts";

export interface Compressed {
  readonly files: number;
  readonly anew: number;
}

export type Outcome =
  | {
      readonly ok: true;
      readonly published: Published;
      readonly counts: Counts;
      /** How many sources were read: all, or only those that may have changed. */
      readonly sourcesRead: number;
      readonly compressed: Compressed;
    }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** `kept`: what the last build left, if it holds; then its files need not be read again. */
export async function buildWhole(task: Task, kept: Kept | undefined): Promise<Outcome> {
  const { sourceFolder, outFolder, home, stages } = task;
  const readMs = systemClock.now();
  const site = await readSite(task, home, task.walked, task.choice);
  let bundles: Bundles | undefined;
  try {
    const { framed, faults } = frameSite(site, stages);
    const all = [...faults, ...checkOutFolder(outFolder, sourceFolder)];
    if (site.baked === undefined || all.length > 0) return { ok: false, faults: all };
    stages.begin("making programs");
    bundles = await openBundles(home);
    const { templates, cluster } = site;
    const programs = buildPrograms({ ...site.baked, templates, isResident: cluster.isResident }, bundles.all);
    if (site.baked.settings.search) stages.begin("making the search index");
    // Loaded only here: most of a quick build's time would go into the database driver.
    const index = site.baked.settings.search ? [(await import("./search.ts")).indexPages(site)] : [];
    const bodyStarts: (readonly number[])[] = [];
    const plans = [
      ...framed.map((one, index) => new PagePlan(one, site.bodies, bodyStarts, index)),
      ...site.assets.files.map(({ bytesNow, ...file }): Plan => ({ ...file, parts: () => [bytesNow()] })),
      ...index.map(({ path, bytes }) => planBytes(path, bytes)),
      ...site.made.map(({ output, text }) => planBytes(`www/${output}`, Buffer.from(text()))),
      planBytes("etc/lighttpd.conf", Buffer.from(describeServer(framed, site))),
      ...writeHost(site.cluster, site.baked.settings, site.compress, task.sourceFolder).map(
        ({ path, text }) => planBytes(path, Buffer.from(text)),
      ),
      ...programs.files,
      // Programs are CommonJS, whatever package.json lies in a folder above.
      planBytes("package.json", Buffer.from('{"type":"commonjs"}\n')),
    ].sort((a, b) => compareText(a.path, b.path));
    const entries = site.compress ? describePlans(plans, stages) : undefined;
    // Loaded only here: few sites that are built in a hurry are compressed as well.
    if (entries !== undefined) stages.begin("compressing");
    const compressing = entries === undefined ? undefined : await import("./compress.ts");
    const compressed = await compressing?.compressFiles(
      task,
      (entries ?? []).map((entry, index) => ({
        ...entry,
        bytesNow: () => {
          const [first = new Uint8Array(0), ...others] = plans[index]?.parts() ?? [];
          return others.length === 0 ? first : Buffer.concat([first, ...others]);
        },
      })),
    );
    const published = publishRelease({
      outFolder,
      plans,
      entries,
      besides: compressed?.besides,
      addonFile: home.addonFile,
      tool: home.version,
      clock: task.clock,
      known: kept,
      stages,
    });
    if (published.changed && compressed !== undefined && compressed.anew > 0)
      compressing?.forgetCompressed(outFolder, task.clock.now());
    if (task.inputs !== undefined) site.assets.keep();
    const { drafts, future } = site.chosen;
    const counts = {
      pages: framed.length,
      files: site.assets.stamps.size,
      programs: programs.count,
      drafts: drafts.length,
      future: future.length,
    };
    stages.begin("noting what was built");
    keep(task, site, { framed, bodyStarts, published, counts, readMs });
    return {
      ok: true,
      published,
      counts,
      sourcesRead: site.sources.length,
      compressed: { files: compressed?.besides.length ?? 0, anew: compressed?.anew ?? 0 },
    };
  } finally {
    site.bodies.close();
    bundles?.close();
  }
}

function describeServer(framed: readonly FramedPage[], { redirects }: Site): string {
  const needs = new Set<string>();
  for (const { page, outside } of framed)
    for (const need of [...page.facts.needs, ...outside.needs]) needs.add(need);
  return writeServerConf({ policy: writePolicy(needs), redirects });
}

function planBytes(path: string, bytes: Uint8Array): Plan {
  return { path, parts: () => [bytes] };
}

/** The document of a page. A class, since there are as many as pages: functions of its own would be twice as much. */
class PagePlan implements Plan {
  readonly path: string;
  readonly #one: FramedPage;
  readonly #bodies: Bodies;
  /** By the pages' places, where their bodies begin in their documents, in bytes; noted when a document is made. */
  readonly #bodyStarts: (readonly number[])[];
  readonly #index: number;

  constructor(one: FramedPage, bodies: Bodies, bodyStarts: (readonly number[])[], index: number) {
    this.path = `www/${one.page.source.output}`;
    this.#one = one;
    this.#bodies = bodies;
    this.#bodyStarts = bodyStarts;
    this.#index = index;
  }

  parts(): readonly Uint8Array[] {
    const { bytes, bodyStarts } = makeDocument(this.#one, this.#bodies);
    this.#bodyStarts[this.#index] = bodyStarts;
    return [bytes];
  }
}

interface Result {
  /** Those with a source in the order of the sources. */
  readonly framed: readonly FramedPage[];
  readonly bodyStarts: readonly (readonly number[])[];
  readonly published: Published;
  readonly counts: Counts;
  /** When the first source was read, or sooner. */
  readonly readMs: number;
}

/** Leaves for the next build what it needs to do less. */
function keep({ outFolder, inputs }: Task, site: Site, result: Result): void {
  const { sources, chosen, assets, baked, compress } = site;
  if (inputs === undefined || baked === undefined) return;
  const { url, search } = baked.settings;
  const { framed, published, counts, readMs } = result;
  const leftOut = new Map([...chosen.drafts, ...chosen.future].map(({ source, stamp }) => [source, stamp]));
  const outsides = [...new Set(framed.map(({ outside }) => outside))];
  const numbers = new Map(outsides.map((outside, index) => [outside, index]));
  const stamps = makeStamps(sources.length);
  const facts = openFacts(outFolder);
  const records = writeRecords(sources.length, facts.write);
  let [index, place] = [0, 0];
  for (const source of sources) {
    const one = framed[place]?.page.source === source ? framed[place] : undefined;
    const stamp = one?.page.stamp ?? assets.stamps.get(source) ?? leftOut.get(source);
    assert(stamp !== undefined, "every source was read");
    putStamp(stamps, index, stamp, readMs);
    records.add(one && describePage(one, result.bodyStarts[place] ?? [], numbers.get(one.outside) ?? 0));
    if (one !== undefined) place += 1;
    index += 1;
  }
  const { releaseId, paths, seals } = published;
  const files = sources.map(({ file }) => file);
  const state = {
    releaseId,
    paths,
    seals,
    counts,
    settings: { url, search, compress },
    stamps,
    sources: files,
    span: chosen.span,
    shelf: [noteFolders(published.releaseFolder, releaseId, paths)],
    renames: [...assets.renames],
  };
  saveState(outFolder, inputs, state, facts.finish(records.finish(outsides)));
}

function describePage({ page }: FramedPage, bodyStarts: readonly number[], outside: number): KeptPage {
  const { head, title, isEmpty, facts } = page;
  const { ids, targets, needs } = facts;
  return {
    head,
    title,
    isEmpty,
    bodyStarts,
    bodyLength: measureShown(page),
    facts: { ids, targets },
    outside,
    needs: needs.length === 0 ? undefined : needs,
  };
}
