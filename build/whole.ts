/**
 * A whole build: every page read, checked, framed, and published, whatever the builds before left. Files that are the
 * same as in the release before are linked to it all the same. Called by build.ts.
 */
import { sha256Hex } from "../lib/util/digest.ts";
import { assert } from "../lib/util/failure.ts";
import { compareText, type Fault } from "./fault.ts";
import { noteFolders } from "./folders.ts";
import { type FramedPage, makeDocument } from "./frame.ts";
import { frameSite } from "./frames.ts";
import { writeHost } from "./host/host.ts";
import { checkOutFolder } from "./outfolder.ts";
import { measureShown } from "./page.ts";
import { writePolicy } from "./policy.ts";
import { buildPrograms } from "./programs.ts";
import { type Published, publishRelease } from "./publish.ts";
import { type KeptPage, writeRecords } from "./records.ts";
import type { Entry } from "./release.ts";
import { writeServerConf } from "./server.ts";
import { readSite, type Site } from "./site.ts";
import { makeStamps, putStamp } from "./stamps.ts";
import { type Counts, type Kept, saveState } from "./state.ts";
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

interface Plan extends Entry {
  readonly bytesNow: () => Uint8Array;
}

/** `kept`: what the last build left, if it holds; then its files need not be read again. */
export async function buildWhole(task: Task, kept: Kept | undefined): Promise<Outcome> {
  const { sourceFolder, outFolder, home, stages } = task;
  const site = await readSite(task, home, task.walked, task.choice);
  try {
    const { framed, faults } = frameSite(site, stages);
    const all = [...faults, ...checkOutFolder(outFolder, sourceFolder)];
    if (site.baked === undefined || all.length > 0) return { ok: false, faults: all };
    stages.begin("making programs");
    const programs = await buildPrograms({
      home,
      ...site.baked,
      templates: site.templates,
      isResident: site.cluster.isResident,
    });
    if (site.baked.settings.search) stages.begin("making the search index");
    // Loaded only here: most of a quick build's time would go into the database driver.
    const index = site.baked.settings.search ? [(await import("./search.ts")).indexPages(site)] : [];
    stages.begin("making documents", framed.length);
    const bodyStarts = new Map<FramedPage, readonly number[]>();
    const plans = [
      ...framed.map((one) => {
        stages.step();
        return planPage(one, site, bodyStarts);
      }),
      ...site.assets.files,
      ...index.map(({ path, bytes }) => planBytes(path, bytes)),
      ...site.made.map(({ output, text }) => planBytes(`www/${output}`, Buffer.from(text()))),
      planBytes("etc/lighttpd.conf", Buffer.from(describeServer(framed, site))),
      ...writeHost(site.cluster, site.baked.settings, site.compress, task.sourceFolder).map(
        ({ path, text }) => planBytes(path, Buffer.from(text)),
      ),
      ...programs.map(({ path, bytes, sha256 }) => planBytes(path, bytes, sha256)),
      // Programs are CommonJS, whatever package.json lies in a folder above.
      planBytes("package.json", Buffer.from('{"type":"commonjs"}\n')),
    ].sort((a, b) => compareText(a.path, b.path));
    // Loaded only here: few sites that are built in a hurry are compressed as well.
    if (site.compress) stages.begin("compressing");
    const compressing = site.compress ? await import("./compress.ts") : undefined;
    const compressed = await compressing?.compressFiles(task, plans);
    const published = publishRelease({
      outFolder,
      entries: plans,
      besides: compressed?.besides,
      contentOf: (plan) => (plan as Plan).bytesNow(),
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
      programs: programs.filter(({ path }) => !path.startsWith("programs/")).length,
      drafts: drafts.length,
      future: future.length,
    };
    stages.begin("noting what was built");
    keep(task, site, { framed, bodyStarts, published, counts });
    return {
      ok: true,
      published,
      counts,
      sourcesRead: site.sources.length,
      compressed: { files: compressed?.besides.length ?? 0, anew: compressed?.anew ?? 0 },
    };
  } finally {
    site.bodies.close();
  }
}

function describeServer(framed: readonly FramedPage[], { redirects }: Site): string {
  const needs = new Set<string>();
  for (const { page, outside } of framed)
    for (const need of [...page.facts.needs, ...outside.needs]) needs.add(need);
  return writeServerConf({ policy: writePolicy(needs), redirects });
}

function planBytes(path: string, bytes: Uint8Array, sha256 = sha256Hex(bytes)): Plan {
  return { path, sha256, bytes: bytes.length, bytesNow: () => bytes };
}

function planPage(one: FramedPage, { bodies }: Site, starts: Map<FramedPage, readonly number[]>): Plan {
  const { bytes, bodyStarts } = makeDocument(one, bodies);
  starts.set(one, bodyStarts);
  return {
    path: `www/${one.page.source.output}`,
    sha256: sha256Hex(bytes),
    bytes: bytes.length,
    bytesNow: () => makeDocument(one, bodies).bytes,
  };
}

interface Result {
  readonly framed: readonly FramedPage[];
  readonly bodyStarts: ReadonlyMap<FramedPage, readonly number[]>;
  readonly published: Published;
  readonly counts: Counts;
}

/** Leaves for the next build what it needs to do less. */
function keep({ outFolder, inputs }: Task, { sources, chosen, assets }: Site, result: Result): void {
  if (inputs === undefined) return;
  const { framed, published, counts } = result;
  const bySource = new Map(framed.map((one) => [one.page.source, one]));
  const leftOut = new Map([...chosen.drafts, ...chosen.future].map(({ source, stamp }) => [source, stamp]));
  const outsides = [...new Set(framed.map(({ outside }) => outside))];
  const numbers = new Map(outsides.map((outside, index) => [outside, index]));
  const stamps = makeStamps(sources.length);
  const records = writeRecords(sources.length);
  for (const [index, source] of sources.entries()) {
    const one = bySource.get(source);
    const stamp = one?.page.stamp ?? assets.stamps.get(source) ?? leftOut.get(source);
    assert(stamp !== undefined, "every source was read");
    putStamp(stamps, index, stamp);
    records.add(one && describePage(one, result.bodyStarts.get(one) ?? [], numbers.get(one.outside) ?? 0));
  }
  const { releaseId, paths, seals } = published;
  const files = sources.map(({ file }) => file);
  const state = {
    releaseId,
    paths,
    seals,
    counts,
    stamps,
    sources: files,
    span: chosen.span,
    shelf: [noteFolders(published.releaseFolder, releaseId, paths)],
    renames: [...assets.renames],
  };
  saveState(outFolder, inputs, state, records.finish(outsides));
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
