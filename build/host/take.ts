/**
 * A release put in service on a host, or refused while the one before goes on: its files are compared with its manifest, its programs are
 * tried on these books (or on a copy of them, where it brings a newer schema), and its configuration is looked at by the servers' own
 * checks; then `current` leads to it, servers whose configuration is another one are told, and the site is asked for a page. Where that
 * fails, the one before is served again. Called by cli/take for a release that `site publish` brought, and by rollback.ts.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { withSlot } from "../../lib/store/slot.ts";
import type { Clock } from "../../lib/util/clock.ts";
import { makeFolder, withUmask } from "../release.ts";
import { readSettings } from "../settings.ts";
import { isReleaseId, noteRefused, pointCurrent, prune, readCurrent } from "../shelf.ts";
import { type Books, checkFiles, smokeRelease } from "../smoke.ts";
import { findUnserved } from "./ask.ts";
import { installFiles, settle } from "./install.ts";
import { findBooks, migrateBooks, planMigration, withMigratedCopy } from "./schema.ts";
import { findChanged, isServers, tellServers } from "./servers.ts";
import { tryConfiguration } from "./trial.ts";

export type Taken =
  | {
      readonly ok: true;
      /** What was served until now; undefined where nothing was. */
      readonly from: string | undefined;
      readonly to: string;
      /** What servers read, and is another one in it. */
      readonly changedConfiguration: readonly string[];
      /** Servers that were told of it, and files outside of the home that were put in place; none where it was only tried. */
      readonly told: readonly string[];
      readonly installed: readonly string[];
      /** Migrations that were applied. */
      readonly migrated: readonly string[];
    }
  | { readonly ok: false; readonly faults: readonly string[] };

export interface TakeOptions {
  readonly outFolder: string;
  readonly dataFolder: string;
  readonly id: string;
  /** Whether it is only tried. */
  readonly isDry: boolean;
  /** Whether it may bring a newer schema; an older release never does. */
  readonly mayMigrate: boolean;
  /** The words of what tells units, "systemctl"; undefined where a person does. */
  readonly control: readonly string[] | undefined;
  /** Where files outside of the home are put; undefined where a person does. */
  readonly root: string | undefined;
  readonly clock: Clock;
  /** Makes the release's programs start soon before they are served; what fails there only makes them slower. */
  readonly warm?: (id: string) => Promise<void>;
}

/** Where `site publish` lays a release, in dist/, until it was tried. */
export const incomingName = "incoming";

/** @throws TryLater while another one is put in service here */
export function takeRelease(options: TakeOptions): Promise<Taken> {
  const slot = { folder: options.outFolder, name: ".take", count: 1, waitMs: 0 };
  return withSlot(slot, () => takeAlone(options));
}

async function takeAlone(options: TakeOptions): Promise<Taken> {
  const { outFolder, id, dataFolder, isDry } = options;
  const refuse = (...faults: readonly string[]): Taken => ({ ok: false, faults });
  if (!isReleaseId(id)) return refuse(`"${id}" is no name of a release`);
  const [shelved, incoming] = ["releases", incomingName].map((name) => join(outFolder, name, id)) as [
    string,
    string,
  ];
  const isNew = !existsSync(shelved);
  const release = isNew ? incoming : shelved;
  if (!existsSync(release)) return refuse(`${shelved} is not there`);
  // The first one on a host says which folders there are.
  if (!existsSync(dataFolder) && options.root !== undefined && !isDry)
    settle(installFiles(release, options.root), options.root);
  if (!existsSync(dataFolder))
    return refuse(`${dataFolder} is not there; say where the books are: --data DIR`);
  const books = findBooks(dataFolder);
  const migrations = options.mayMigrate ? planMigration(release, books) : [];
  const wrong = tryAll(release, migrations, books, options.clock);
  if (wrong.length > 0) return refuse(...wrong.map((line) => `${id}: ${line}`));
  const before = readCurrent(outFolder);
  const from = before === undefined ? undefined : basename(before);
  // Where nothing is noted yet, servers know what is served now. Whoever died between the link and the servers left them with what
  // they were told last.
  if (from !== undefined && readTold(outFolder) === undefined && !isDry) noteTold(outFolder, from);
  const known = new Set([before, readTold(outFolder) ?? before]);
  const changed = [...new Set([...known].flatMap((one) => findChanged(one, release)))];
  const changedConfiguration = changed.filter(isServers);
  const taken = {
    ok: true,
    from,
    to: id,
    changedConfiguration,
    told: [],
    installed: [],
    migrated: [],
  } as const;
  if (isDry) return { ...taken, migrated: migrations };
  makeFolder(join(outFolder, "releases"));
  if (isNew) renameSync(release, shelved);
  await options.warm?.(id);
  if (migrations.length > 0) {
    migrateBooks(shelved, books);
    const late = smokeRelease(shelved, books);
    if (late.length > 0) return refuse(...late.map((line) => `${id}: ${line}`));
  }
  const isOver = withUmask(() => pointCurrent(outFolder, id));
  try {
    const done = serve(shelved, changed, options);
    const fault = await findUnserved(shelved, dataFolder);
    if (fault !== undefined) throw new Error(fault);
    noteRefused(outFolder, id, false);
    noteTold(outFolder, id);
    if (isNew) prune(outFolder, id, before, isOver);
    return { ...taken, ...done, migrated: migrations };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    if (from === undefined || before === undefined) return refuse(`${id}: ${what}`);
    withUmask(() => pointCurrent(outFolder, from));
    const again = serveAgain(before, changed, options);
    // Programs of it may run yet, begun while it was served.
    noteRefused(outFolder, id, true);
    return refuse(`${id}: ${what}`, `${from} is served again`, ...again);
  }
}

function serveAgain(release: string, changed: readonly string[], options: TakeOptions): readonly string[] {
  try {
    serve(release, changed, options);
    return [];
  } catch (error) {
    return [`but not all servers took it: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** Beside the releases: which one the servers were told of last. */
const toldName = ".told";

function noteTold(outFolder: string, id: string): void {
  writeFileSync(join(outFolder, toldName), `${id}\n`);
}

/** The folder of that release; undefined where nothing is noted, or it is there no more. */
export function readTold(outFolder: string): string | undefined {
  const file = join(outFolder, toldName);
  const id = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  const release = join(outFolder, "releases", id);
  return isReleaseId(id) && existsSync(release) ? release : undefined;
}

/** Files, programs, and configuration; what is wrong with them, a line each. */
function tryAll(
  release: string,
  migrations: readonly string[],
  books: Books,
  clock: Clock,
): readonly string[] {
  const { settings, cluster, faults } = readSettings(release);
  const tryPrograms = (): readonly string[] => {
    if (migrations.length === 0) return smokeRelease(release, books);
    // Of books on a server there is no copy to try them on: they are tried when the books are as they should be.
    if (settings.store !== "sqlite") return checkFiles(release);
    return withMigratedCopy(release, books, clock, (copy) => smokeRelease(release, copy));
  };
  // One of a site without https has no configuration; one from before releases had their settings in them is not looked at.
  const hasSettings = faults.length === 0 && settings.url.startsWith("https:");
  return [...tryPrograms(), ...(hasSettings ? tryConfiguration(release, cluster) : [])];
}

function serve(release: string, changed: readonly string[], { control, root }: TakeOptions) {
  const installed = root === undefined ? undefined : installFiles(release, root);
  if (root !== undefined && installed !== undefined) settle(installed, root);
  return {
    installed: installed?.changed ?? [],
    told: control === undefined ? [] : tellServers(changed, control),
  };
}
