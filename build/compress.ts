/**
 * Compressed files beside those of www/, for web servers that send them as they are: FILE.br and FILE.gz. They stand
 * outside the manifest, as the native addon does: their bytes follow from the files, and from the version of Node.
 * What was compressed once is kept in dist/.cache/compressed/ by the hash of its text. Called by whole.ts and change.ts.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { versions } from "node:process";
import { Worker } from "node:worker_threads";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode } from "../lib/util/failure.ts";
import { translateErrors } from "./outfolder.ts";
import type { Package } from "./package.ts";
import { type Entry, makeFolder, manifestName, readManifest } from "./release.ts";
import { cacheName } from "./shelf.ts";
import { type Job, qualityOf, type Squeezed, squeeze } from "./squeeze.ts";

/** A file that stands beside one of the manifest's. */
export interface Beside {
  /** "www/docs/index.html.br". */
  readonly path: string;
  /** Path of the file that it holds. */
  readonly of: string;
  readonly bytes: number;
  readonly read: () => Uint8Array;
}

interface Plan extends Entry {
  readonly bytesNow: () => Uint8Array;
}

/** What was just made need not be read to be written, unless there is much of it. */
const mostHeldBytes = 64 * 1024 * 1024;

const forms = ["br", "gz"] as const;
type Form = (typeof forms)[number];

/** Lengths of what is kept of a text, and its file's name. */
type Kept = Readonly<Record<Form, number>> & { readonly name: string };

const texts = /^www\/.*\.(?:html|css|m?js|svg|xml|txt|json|webmanifest)$/;

/** A file this small is one packet either way. */
const leastBytes = 256;

export function isCompressed({ path, bytes }: Pick<Entry, "path" | "bytes">): boolean {
  return bytes >= leastBytes && texts.test(path);
}

/** What stands beside the files of a release, in their order; a file of the site's own is left in its place. */
export async function compressFiles(
  { outFolder, home }: { readonly outFolder: string; readonly home: Pick<Package, "codeFolder"> },
  plans: readonly Plan[],
): Promise<{ readonly besides: readonly Beside[]; readonly anew: number }> {
  const shelf = shelfOf(outFolder);
  const kept = listKept(shelf);
  const wanted = plans.filter(isCompressed);
  const missing = [...new Map(wanted.map((plan) => [keyOf(plan), plan])).values()].filter(
    (plan) => !kept.has(keyOf(plan)),
  );
  if (missing.length > 0) translateErrors(outFolder, () => makeFolder(shelf));
  const held = new Map<string, Squeezed>();
  let room = mostHeldBytes;
  const squeezer = openSqueezer(home, missing.length);
  try {
    for (let from = 0; from < missing.length; from += roundLength) {
      const round = missing.slice(from, from + roundLength);
      // The bytes of a page are good until the next is made.
      const jobs = round.map((plan): Job => ({ ...jobOf(plan), text: Buffer.from(plan.bytesNow()) }));
      const made = await squeezer.squeezeAll(jobs);
      for (const [index, plan] of round.entries()) {
        const squeezed = made[index];
        if (squeezed === undefined) continue;
        kept.set(keyOf(plan), keep(outFolder, keyOf(plan), squeezed));
        room -= squeezed.br.length + squeezed.gz.length;
        if (room > 0) held.set(keyOf(plan), squeezed);
      }
    }
  } finally {
    await squeezer.close();
  }
  const taken = new Set(plans.map(({ path }) => path));
  const besides = wanted.flatMap((plan) =>
    forms.flatMap((form): Beside[] => {
      const found = kept.get(keyOf(plan));
      const path = `${plan.path}.${form}`;
      if (found === undefined || found[form] === 0 || taken.has(path)) return [];
      const read = (): Uint8Array =>
        held.get(keyOf(plan))?.[form] ??
        readKept(shelf, found, form) ??
        squeeze({ ...jobOf(plan), text: plan.bytesNow() })[form];
      return [{ path, of: plan.path, bytes: found[form], read }];
    }),
  );
  return { besides, anew: missing.length };
}

/** What stands beside one file that changed; it is kept for later builds as well. */
export function compressFile(
  outFolder: string,
  file: { readonly path: string; readonly bytes: Uint8Array },
): Squeezed {
  const { path, bytes: text } = file;
  if (!isCompressed({ path, bytes: text.length })) return { br: new Uint8Array(0), gz: new Uint8Array(0) };
  const squeezed = squeeze({ ...jobOf(file), text });
  translateErrors(outFolder, () => makeFolder(shelfOf(outFolder)));
  keep(outFolder, keyOf({ path, sha256: sha256Hex(text) }), squeezed);
  return squeezed;
}

/** Forgets what no release on the shelf has, but nothing young: another build may be about to publish it. */
export function forgetCompressed(outFolder: string, nowMs: number): void {
  const shelf = shelfOf(outFolder);
  const releases = join(outFolder, "releases");
  const used = new Set<string>();
  for (const name of readdirSync(releases)) {
    const text = existsSync(join(releases, name, manifestName))
      ? (readManifest(join(releases, name))?.toString("utf8") ?? "")
      : "";
    for (const [, sha256 = ""] of text.matchAll(/"sha256":"([0-9a-f]{64})"/g)) used.add(sha256);
  }
  // What another version of Node made is made again where that one comes back.
  for (const name of readdirSync(dirname(shelf)))
    if (name !== basename(shelf)) rmSync(join(dirname(shelf), name), { recursive: true, force: true });
  for (const name of readdirSync(shelf)) {
    if (used.has(name.slice(0, 64))) continue;
    const stats = statSync(join(shelf, name), { throwIfNoEntry: false });
    if (stats !== undefined && stats.mtimeMs < nowMs - youngMs) rmSync(join(shelf, name), { force: true });
  }
}

const youngMs = 3_600_000;

/** Another version of either library makes other bytes. */
function shelfOf(outFolder: string): string {
  return join(outFolder, cacheName, "compressed", `brotli-${versions.brotli}-zlib-${versions.zlib}`);
}

function keyOf({ path, sha256 }: Pick<Entry, "path" | "sha256">): string {
  return `${sha256}-${qualityOf(path)}`;
}

function jobOf({ path }: Pick<Entry, "path">): Omit<Job, "text"> {
  return { quality: qualityOf(path) };
}

/** The name tells the lengths of both forms, so that most files need not be opened. */
function listKept(shelf: string): Map<string, Kept> {
  try {
    return new Map(
      readdirSync(shelf).flatMap((name) => {
        const [, key, br, gz] = /^([0-9a-f]{64}-\d+)-(\d+)-(\d+)$/.exec(name) ?? [];
        return key === undefined ? [] : [[key, { name, br: Number(br), gz: Number(gz) }]];
      }),
    );
  } catch (error) {
    if (hasCode(error, ["ENOENT", "ENOTDIR", "EACCES"])) return new Map();
    throw error;
  }
}

const digestLength = 64;

/**
 * Both forms one behind the other, after the hash of both, by which one is found out that was not written to its end:
 * so it need not be written aside.
 */
function keep(outFolder: string, key: string, { br, gz }: Squeezed): Kept {
  const shelf = shelfOf(outFolder);
  const name = `${key}-${br.length}-${gz.length}`;
  const content = Buffer.concat([br, gz]);
  translateErrors(outFolder, () =>
    writeFileSync(join(shelf, name), Buffer.concat([Buffer.from(sha256Hex(content), "latin1"), content])),
  );
  return { name, br: br.length, gz: gz.length };
}

/** Undefined where it is gone, or was cut or changed by hand; then it is gone too. */
function readKept(shelf: string, { name, br }: Kept, form: Form): Uint8Array | undefined {
  try {
    const bytes = readFileSync(join(shelf, name));
    const content = bytes.subarray(digestLength);
    if (sha256Hex(content) !== bytes.toString("latin1", 0, digestLength)) {
      rmSync(join(shelf, name), { force: true });
      return undefined;
    }
    return form === "br" ? content.subarray(0, br) : content.subarray(br);
  } catch (error) {
    if (hasCode(error, ["ENOENT", "EACCES", "EISDIR"])) return undefined;
    throw error;
  }
}

/** So many texts are in memory at once. */
const roundLength = 2000;

/** A worker takes 30 ms to start; so many pages take as long. */
const leastForWorkers = 200;

interface Squeezer {
  readonly squeezeAll: (jobs: readonly Job[]) => Promise<readonly Squeezed[]>;
  readonly close: () => Promise<unknown>;
}

/** Divides the work among this thread and others, where there are processors for them and it is worth their start. */
function openSqueezer({ codeFolder }: Pick<Package, "codeFolder">, count: number): Squeezer {
  const code = join(codeFolder, "build", "squeeze.js");
  const more = count < leastForWorkers || !existsSync(code) ? 0 : Math.min(availableParallelism(), 8) - 1;
  const workers = Array.from({ length: more }, () => new Worker(code));
  return {
    squeezeAll: async (jobs) => {
      const share = Math.ceil(jobs.length / (more + 1));
      const others = workers.map((worker, index) =>
        ask(worker, jobs.slice((index + 1) * share, (index + 2) * share)),
      );
      const own = jobs.slice(0, share).map(squeeze);
      return [own, ...(await Promise.all(others))].flat();
    },
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

function ask(worker: Worker, jobs: readonly Job[]): Promise<readonly Squeezed[]> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.postMessage(jobs);
  });
}
