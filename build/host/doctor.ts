/**
 * Whether a host does what it should, beyond its configuration: that programs can start as they were built, that the books can be
 * opened and the disk has room, that mail goes out, nights are billed, backups are made, and everything runs. Reads only. Called by
 * cli/doctor.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type BooksOptions, chooseBooks, openBooks } from "../../lib/store/open.ts";
import type { ReadTx } from "../../lib/store/store.ts";
import { addDays, type Clock, dayOf } from "../../lib/util/clock.ts";
import { pools } from "../../lib/util/routes.ts";
import { resolveSecretsFile } from "../../lib/util/settings.ts";
import { cacheName, type Launched, listLaunched, scriptPath, warmFolder } from "../launcher.ts";
import { addonPath } from "../release.ts";
import { readSettings } from "../settings.ts";
import { listCold } from "../warm.ts";
import { checkHost } from "./check.ts";
import { type Finding, right, runFirst, skipped, wrong } from "./finding.ts";
import { findDataFolder } from "./place.ts";
import { schedule } from "./schedule.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A mail goes out each minute; what waits longer, waits in vain. */
const patienceMs = 15 * minuteMs;
/** One each night, and an hour or two for a clock change. */
const backupAgeMs = 26 * hourMs;
const leastFree = 0.1;

interface Patient {
  readonly release: string;
  readonly outFolder: string;
  readonly dataFolder: string;
  /** Where programs find Node. */
  readonly path: string;
  readonly clock: Clock;
  /** Fails where the secrets, which may have a server's password, cannot be read. */
  readonly findBooks: () => BooksOptions;
}

export async function examine(options: {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly clock: Clock;
}): Promise<readonly Finding[]> {
  const { sourceFolder, outFolder, clock } = options;
  const { settings, cluster } = readSettings(sourceFolder);
  const isHosted = settings.url.startsWith("https:");
  const current = join(outFolder, "current");
  if (!existsSync(current)) return [wrong("dist/", `${current} is not there; run: site build`)];
  const [release, dataFolder] = [realpathSync(current), findDataFolder(sourceFolder)];
  const place = { dataFolder, secretsFile: resolveSecretsFile(sourceFolder) };
  const own = { clock, addonFile: join(release, addonPath) };
  const findBooks = () => chooseBooks(settings, place, own);
  const patient: Patient = { release, outFolder, dataFolder, path: cluster.path, clock, findBooks };
  return [
    ...(isHosted ? checkHost(options) : []),
    checkNode(patient),
    checkWarm(patient),
    checkDisk(patient.dataFolder),
    checkClock(),
    ...(await checkBooks(patient)),
    checkBackup(patient),
    checkUnits(isHosted),
  ];
}

/** The driver is compiled for one Node: another on PATH ends every program at its start. */
function checkNode({ release, path }: Patient): Finding {
  const addon = join(release, addonPath);
  const code = `process.dlopen({ exports: {} }, ${JSON.stringify(addon)}); console.log(process.version);`;
  const ran = runFirst(["node"], ["-e", code], path);
  if (ran === undefined)
    return wrong("Node", `there is no node in ${path}; say another "path" in etc/cluster.yaml`);
  const [major = 0, minor = 0] = (/^v(\d+)\.(\d+)/.exec(ran.said) ?? []).slice(1).map(Number);
  if (ran.status !== 0)
    return wrong(
      "Node",
      `it cannot load the database driver; build the site again with this Node: ${lastLine(ran.said)}`,
    );
  return major > 20 || (major === 20 && minor >= 19)
    ? right("Node", ran.said)
    : wrong("Node", `${ran.said} is too old: 20.19 or later is needed`);
}

/** What V8 refuses is only slower; it is told, since nobody would notice. */
function checkWarm({ release, outFolder, path }: Patient): Finding {
  const version = runFirst(["node"], ["-p", "process.version"], path)?.said ?? "";
  const all = listLaunched(release);
  if (all.length === 0)
    return wrong("warm/", "the release is of another version of the package; run: site build, and site warm");
  const kept = (launched: Launched): string => join(outFolder, warmFolder, cacheName(launched, version));
  const cold = listCold(outFolder, release, version);
  if (cold.length > 0)
    return wrong("warm/", `${cold.length} of ${all.length} programs are not warm; run: site warm`);
  const startOf = ({ switches }: Launched): string => switches.join(" ");
  const refused = [...new Set(all.map(startOf))].flatMap((start) => {
    const own = all.filter((launched) => startOf(launched) === start);
    const asked = own.map((launched) => ({
      name: launched.route.name,
      cache: kept(launched),
      files: launched.scripts.map((script) => join(release, scriptPath(script))),
    }));
    const words = [...start.split(" ").filter(Boolean), "-e", findRefused, JSON.stringify(asked)];
    return (runFirst(["node"], words, path)?.said ?? "").split("\n");
  });
  const names = refused.filter((name) => name !== "");
  return names.length === 0
    ? right("warm/", `${all.length} programs`)
    : wrong("warm/", `what was kept of ${names.join(", ")} is of no use; run: site warm`);
}

/** Of programs, put together as launchers do: those whose cache V8 refuses. */
const findRefused = `const { readFileSync } = require('fs'), { Script } = require('vm');
for (const { name, cache, files } of JSON.parse(process.argv[1])) {
  const [code, ...given] = files.map((file) => readFileSync(file, 'utf8'));
  if (new Script(code + '(' + given + ')', { cachedData: readFileSync(cache) }).cachedDataRejected) console.log(name);
}`;

function checkDisk(folder: string): Finding {
  if (!existsSync(folder)) return wrong("disk", `${folder} is not there`);
  const { bavail, blocks, bsize, ffree, files } = statfsSync(folder);
  const [free, gigabytes] = [bavail / blocks, (bavail * bsize) / 1e9];
  const detail = `${gigabytes.toFixed(1)} GB free, ${Math.round(free * 100)} %`;
  if (free < leastFree) return wrong("disk", `${detail}; make room`);
  if (files > 0 && ffree / files < leastFree)
    return wrong("disk", `${ffree} files can be made yet; make room`);
  return right("disk", detail);
}

function checkClock(): Finding {
  const ran = runFirst(["timedatectl"], ["show", "--property=NTPSynchronized", "--value"]);
  if (ran === undefined || ran.status !== 0) return skipped("clock", "there is no timedatectl that answers");
  return ran.said === "yes"
    ? right("clock")
    : wrong("clock", "it is set by nobody; run: timedatectl set-ntp true");
}

async function checkBooks({ findBooks }: Patient): Promise<readonly Finding[]> {
  try {
    const books = findBooks();
    const { file, postgres } = books;
    if (postgres === undefined && !existsSync(file))
      return [wrong("books", `${file} is not there; run: site migrate`)];
    const store = openBooks(books);
    try {
      return await store.read(async (tx) => [
        right("books", postgres?.address ?? `${(statSync(file).size / 1e6).toFixed(1)} MB`),
        await checkMail(tx),
        await checkNight(tx),
      ]);
    } finally {
      store.close();
    }
  } catch (error) {
    return [wrong("books", error instanceof Error ? error.message : String(error))];
  }
}

async function checkMail(tx: ReadTx): Promise<Finding> {
  const row = await tx.get<{ oldest: bigint | null; waiting: bigint; parked: bigint }>(
    `SELECT min(created_at) FILTER (WHERE state IN ('queued', 'sending', 'unknown') AND due_at <= ?) AS oldest,
       count(*) FILTER (WHERE state IN ('queued', 'sending', 'unknown')) AS waiting,
       count(*) FILTER (WHERE state = 'parked' AND recipient <> '') AS parked
     FROM outbox`,
    [tx.now],
  );
  const age = row?.oldest == null ? 0 : tx.now - Number(row.oldest);
  if (age > patienceMs)
    return wrong(
      "mail",
      `the oldest waits for ${Math.round(age / minuteMs)} minutes; look at what jobs/mail says`,
    );
  if ((row?.parked ?? 0n) > 0n)
    return wrong("mail", `${row?.parked} could not be sent, and wait for a person; run: site job mail`);
  return right("mail", `${row?.waiting ?? 0n} waiting`);
}

/** A day is billed at half past one of the next; two hours later it should be. */
async function checkNight(tx: ReadTx): Promise<Finding> {
  const row = await tx.get<{ day: string | null; first: string | null }>(
    `SELECT (SELECT max(day) FROM (SELECT day FROM billed_day UNION ALL SELECT day FROM skipped_day) settled) AS day,
       (SELECT min(day) FROM usage) AS first`,
  );
  const due = addDays(dayOf(tx.now - 3.5 * hourMs), -1);
  if (row?.first == null || row.first > due) return right("night", "nothing is to be billed yet");
  if (row.day === null || row.day < due)
    return wrong(
      "night",
      `${row.day ?? "no day"} is the last that was billed, and ${due} is due; run: site job bill`,
    );
  return right("night", `billed up to ${row.day}`);
}

function checkBackup({ dataFolder, clock }: Patient): Finding {
  const folder = join(dataFolder, "backups");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("books-")) : [];
  const newest = names.sort().at(-1);
  if (newest === undefined) return wrong("backup", "there is none; run: site job backup");
  const age = clock.now() - statSync(join(folder, newest)).mtimeMs;
  return age <= backupAgeMs
    ? right("backup", newest)
    : wrong("backup", `the newest is ${newest}, ${Math.round(age / hourMs)} hours old; run: site job backup`);
}

function checkUnits(isHosted: boolean): Finding {
  if (!isHosted) return skipped("units", "the site is not reached over https");
  if (!existsSync("/run/systemd/system")) return skipped("units", "systemd does not run here");
  const servers = [...pools, "front", "hitch"].map((name) => `site-${name}.service`);
  const units = [...servers, ...schedule.map(({ job }) => `site-${job}.timer`)];
  const dead = units.filter((unit) => runFirst(["systemctl"], ["is-active", unit])?.said !== "active");
  const failed = schedule
    .map(({ job }) => `site-${job}.service`)
    .filter((unit) => runFirst(["systemctl"], ["is-failed", unit])?.said === "failed");
  if (dead.length > 0)
    return wrong("units", `${dead.join(", ")} are not active; run: systemctl start ${dead.join(" ")}`);
  if (failed.length > 0)
    return wrong("units", `${failed.join(", ")} failed; run: journalctl -u ${failed[0]}`);
  return right("units", `${units.length} active`);
}

function lastLine(text: string): string {
  return text.split("\n").find((line) => /Error/.test(line)) ?? text.split("\n").at(-1) ?? "";
}

/** What was found the last time, as JSON; undefined where that was never, or cannot be read. */
export function readLast(file: string): readonly Finding[] | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as readonly Finding[];
  } catch {
    return undefined;
  }
}

/** What is otherwise than the last time: what became wrong, and what was mended. */
export function findChanges(now: readonly Finding[], last: readonly Finding[]): readonly Finding[] {
  const wrongs = (all: readonly Finding[]) =>
    new Set(all.filter(({ state }) => state === "wrong").map(({ what }) => what));
  const [before, after] = [wrongs(last), wrongs(now)];
  const mended = [...before].filter((what) => !after.has(what)).map((what) => right(what, "mended"));
  return [...now.filter(({ what, state }) => state === "wrong" && !before.has(what)), ...mended];
}
