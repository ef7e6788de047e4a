/**
 * Compares a release with its manifest, byte for byte, and with what its sources make now. Nothing is written but a build of
 * its own in a temporary folder, which is removed. The native addon and compressed files belong to the machine, and
 * stand outside the manifest. Called by cli/build.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import type { BuildOptions, BuildResult } from "./build.ts";
import { compareText, type Fault } from "./fault.ts";
import { addonPath, type Entry, manifestName, parseManifest, readManifest } from "./release.ts";
import { readCurrent } from "./shelf.ts";

export interface Difference {
  /** Path in the release, "www/index.html". */
  readonly path: string;
  /** Against its manifest: damaged, missing, or not in there; against the sources: old, not there yet, or no longer. */
  readonly what: "damaged" | "missing" | "unlisted" | "outdated" | "not built" | "no longer made";
}

export type Verified =
  | {
      readonly ok: true;
      readonly releaseFolder: string;
      readonly files: number;
      readonly differences: readonly Difference[];
    }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** @param build the builder; this file is part of it */
export async function verifyRelease(
  options: BuildOptions,
  build: (options: BuildOptions) => Promise<BuildResult>,
): Promise<Verified> {
  const releaseFolder = readCurrent(options.outFolder);
  const listed = releaseFolder === undefined ? undefined : readEntries(releaseFolder);
  if (releaseFolder === undefined || listed === undefined) {
    const message = "no release with a manifest is here; run: site build";
    return { ok: false, faults: [{ file: options.outFolder, line: 0, message }] };
  }
  const fresh = mkdtempSync(join(tmpdir(), "picodollar-verify-"));
  try {
    const built = await build({ ...options, outFolder: join(fresh, "dist") });
    if (!built.ok) return built;
    const wanted = readEntries(built.releaseFolder) ?? new Map<string, Entry>();
    const differences = [...compareWithManifest(releaseFolder, listed), ...compareManifests(listed, wanted)];
    differences.sort((a, b) => compareText(a.path, b.path) || compareText(a.what, b.what));
    return { ok: true, releaseFolder, files: listed.size, differences };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** What the manifest of a release lists, by path; undefined where it has none. */
export function readEntries(release: string): ReadonlyMap<string, Entry> | undefined {
  const files = parseManifest(readManifest(release));
  return files && new Map(files.map((entry) => [entry.path, entry]));
}

/** Files that are not what the manifest says. */
export function findDamaged(release: string, listed: ReadonlyMap<string, Entry>): readonly Difference[] {
  return [...listed.values()].flatMap(({ path, sha256 }): Difference[] => {
    const file = join(release, path);
    if (!existsSync(file)) return [{ path, what: "missing" }];
    return sha256Hex(readFileSync(file)) === sha256 ? [] : [{ path, what: "damaged" }];
  });
}

function compareWithManifest(release: string, listed: ReadonlyMap<string, Entry>): readonly Difference[] {
  const isOutside = (path: string): boolean =>
    path === addonPath || path === manifestName || listed.has(path.replace(/\.(?:br|gz)$/, ""));
  const others = readdirSync(release, { recursive: true, withFileTypes: true }).flatMap(
    (entry): Difference[] => {
      const path = join(entry.parentPath, entry.name).slice(release.length + 1);
      return entry.isDirectory() || listed.has(path) || isOutside(path) ? [] : [{ path, what: "unlisted" }];
    },
  );
  return [...findDamaged(release, listed), ...others];
}

function compareManifests(
  listed: ReadonlyMap<string, Entry>,
  wanted: ReadonlyMap<string, Entry>,
): readonly Difference[] {
  const changed = [...wanted.values()].flatMap(({ path, sha256 }): Difference[] => {
    const own = listed.get(path);
    if (own === undefined) return [{ path, what: "not built" }];
    return own.sha256 === sha256 ? [] : [{ path, what: "outdated" }];
  });
  const gone = [...listed.keys()].filter((path) => !wanted.has(path));
  return [...changed, ...gone.map((path): Difference => ({ path, what: "no longer made" }))];
}
