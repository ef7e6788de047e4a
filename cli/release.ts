/**
 * Running a job of the built site by hand: the program that cron would run, with the environment that belongs
 * to this folder. Called by the commands job, usage, and migrate; they have no logic of their own.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { JobPlace } from "../build/host/place.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import { readNote } from "../lib/util/note.ts";
import { inheritedPath, resolveOperator } from "../lib/util/settings.ts";

/** Where a release is served from on a host that is laid out as etc/cluster.yaml has it by default. */
const hosted = "/srv/site/dist/current";

/** The folder that is meant where none is said: the current one, or on a host, where that is no site, what is served. */
export const usualSource =
  !existsSync("etc/site.yaml") && existsSync(`${hosted}/etc/site.yaml`) ? hosted : ".";

export interface Where {
  /** The site's folder, the current one unless told. */
  readonly source?: string;
  /** Where the site was built, dist/ in it unless told. */
  readonly out?: string;
}

/** The options by which a command finds the built site. */
export function addWhere(command: Command): Command {
  return command
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--out <folder>", "where the site was built (default: dist in the site's folder)");
}

const wrongUsage = 64;

/** Runs `NAME ARGUMENTS...` of the current release; answers its exit code. */
export async function runReleaseJob(
  name: string,
  jobArguments: readonly string[],
  where: Where,
): Promise<number> {
  // Loaded here, so that other commands do not wait for it.
  const { findJobPlace, findOutFolder } = await import("../build/host/place.ts");
  const source = resolve(where.source ?? usualSource);
  const out = findOutFolder(source, where.out);
  const jobs = join(out, "current", "jobs");
  if (!existsSync(jobs)) throw new NeedsHuman(`${out}: no site is built here; run: site build`);
  const names = readdirSync(jobs).sort();
  if (!names.includes(name)) {
    console.error(`site: there is no job "${name}"; there are: ${names.join(", ")}`);
    return wrongUsage;
  }
  const program = join(jobs, name);
  const place = findJobPlace(source, name);
  if (place.umask !== undefined) process.umask(place.umask);
  const child = spawnSync(process.execPath, [program, ...jobArguments], {
    stdio: "inherit",
    env: jobEnvironment(place),
    ...place.owner,
  });
  if (child.error !== undefined) throw new NeedsHuman(`${program} cannot be started`, { cause: child.error });
  return child.status ?? 111;
}

/** While a development server runs on the data folder, links lead to it, and mail goes to its mailbox. */
function jobEnvironment({ dataFolder, secretsFile }: JobPlace): NodeJS.ProcessEnv {
  const common = { PATH: inheritedPath(), SITE_DATA: dataFolder, SITE_OPERATOR: resolveOperator() };
  const development = readNote(dataFolder);
  if (development === undefined) return { ...common, SITE_SECRETS: secretsFile };
  const { url, secretsFile: own } = development;
  return { ...common, SITE_SECRETS: own, SITE_URL: url, SITE_MAIL: "folder", SITE_STORE: "sqlite" };
}
