/**
 * A site served as `npm start` serves it: the compiled command, in a process of its own, with a data folder and a
 * dist/ of its own, so that tests walk through what a newcomer gets.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endServer, listen } from "../../dev/listen.ts";
import { addDays, type DayUtc, dayOf, daysInMonth, systemClock } from "../../lib/util/clock.ts";

export const projectFolder = fileURLToPath(new URL("../../", import.meta.url));

export interface Served {
  readonly url: string;
  /** Everything that a test may write to, besides what follows. */
  readonly folder: string;
  readonly outFolder: string;
  readonly dataFolder: string;
  /** Runs `site WORDS` on the same site. */
  readonly site: (...words: readonly string[]) => Ran;
  /** The mails in the mailbox folder, oldest first. */
  readonly mails: () => readonly string[];
  /** All that the server said. */
  readonly output: () => string;
  /** Sends a signal to the server as a terminal does; answers the exit code. */
  readonly interrupt: () => Promise<number | null>;
  readonly end: () => Promise<void>;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the site of a folder with the command of a package; ready when it says where it is. */
export async function serveSite(
  sourceFolder: string = projectFolder,
  command: string = join(projectFolder, "out", "cli", "site.cjs"),
): Promise<Served> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-walk-")));
  const [outFolder, dataFolder] = [join(folder, "dist"), join(folder, "data")];
  const port = await findPort();
  const environment = { PATH: process.env.PATH, SITE_DATA: dataFolder };
  const where = ["--source", sourceFolder, "--out", outFolder];
  const child = spawn(process.execPath, [command, "serve", ...where, "--port", String(port)], {
    env: environment,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      said += bytes.toString();
    });
  const interrupt = (): Promise<number | null> => endProcess(child);
  const end = async (): Promise<void> => {
    await interrupt();
    rmSync(folder, { recursive: true, force: true });
  };
  await ready(child, () => said);
  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    outFolder,
    dataFolder,
    site: (...words) => {
      const run = spawnSync(process.execPath, [command, ...words, ...where], {
        env: environment,
        encoding: "utf8",
      });
      return { code: run.status, out: run.stdout, err: run.stderr };
    },
    mails: () => {
      const mailFolder = join(dataFolder, "mail");
      // The first mail makes it.
      if (!existsSync(mailFolder)) return [];
      const names = readdirSync(mailFolder).filter((name) => name.endsWith(".eml"));
      return names.sort().map((name) => readFileSync(join(mailFolder, name), "utf8"));
    },
    output: () => said,
    interrupt,
    end,
  };
}

/** Looks again and again until something is there; a test that waits in vain fails here. */
export async function eventually<Found>(what: string, look: () => Found | undefined): Promise<Found> {
  const until = systemClock.now() + 20_000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (systemClock.now() > until) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The last fifth day of a month with 31 days that lies behind us, for amounts worked out by hand. */
export function findLongMonthDay(): DayUtc {
  let day = addDays(dayOf(systemClock.now()), -3);
  while (!day.endsWith("-05") || daysInMonth(day) !== 31) day = addDays(day, -1);
  return day;
}

export async function findPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await endServer(server);
  return port;
}

function ready(child: ChildProcess, said: () => string): Promise<unknown> {
  return eventually("the address of the site", () => {
    if (child.exitCode !== null) throw new Error(`site serve ended:\n${said()}`);
    return said().includes("Press Ctrl-C to end.") ? true : undefined;
  });
}

function endProcess(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
    child.once("exit", (code) => resolve(code));
    child.kill("SIGINT");
  });
}
