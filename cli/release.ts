/**
 * Running a job of the built site by hand: the program that cron would run, with the environment that belongs
 * to this folder. Called by the commands job, usage, and migrate; they have no logic of their own.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { NeedsHuman } from "../lib/util/failure.ts";
import { inheritedPath, resolveDataFolder } from "../lib/util/settings.ts";

export interface Where {
  /** The site's folder, the current one unless told. */
  readonly source?: string;
  /** Where the site was built, dist/ in it unless told. */
  readonly out?: string;
}

/** Runs `NAME ARGUMENTS...` of the current release; answers its exit code. */
export function runReleaseJob(name: string, jobArguments: readonly string[], where: Where): number {
  const source = resolve(where.source ?? ".");
  const out = where.out === undefined ? join(source, "dist") : resolve(where.out);
  const program = join(out, "current", "jobs", name);
  if (!existsSync(program)) {
    const built = existsSync(join(out, "current"));
    throw new NeedsHuman(
      built
        ? `there is no job "${name}" in ${out}/current/jobs`
        : `${out}: no site is built here; run: site build`,
    );
  }
  const environment = jobEnvironment(source);
  const child = spawnSync(process.execPath, [program, ...jobArguments], {
    stdio: "inherit",
    env: environment,
  });
  if (child.error !== undefined) throw new NeedsHuman(`${program} cannot be started`, { cause: child.error });
  return child.status ?? 111;
}

function jobEnvironment(source: string): NodeJS.ProcessEnv {
  const dataFolder = resolveDataFolder(source);
  const common = { PATH: inheritedPath(), SITE_DATA: dataFolder };
  const development = readDevelopment(dataFolder);
  if (development !== undefined)
    return {
      ...common,
      SITE_SECRETS: development.secretsFile,
      SITE_URL: development.url,
      SITE_MAIL: "folder",
    };
  const secrets = join(source, "etc", "secrets");
  return existsSync(secrets) ? { ...common, SITE_SECRETS: secrets } : common;
}

/** What the development server left in the data folder: links lead to it, and mail goes to its mailbox. */
function readDevelopment(
  dataFolder: string,
): { readonly url: string; readonly secretsFile: string } | undefined {
  const file = join(dataFolder, "development.json");
  if (!existsSync(file)) return undefined;
  const found: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof found === "object" && found !== null && "url" in found && "secretsFile" in found) {
    const { url, secretsFile } = found;
    if (typeof url === "string" && typeof secretsFile === "string") return { url, secretsFile };
  }
  throw new NeedsHuman(`${file} is not what site serve writes; delete it`);
}
