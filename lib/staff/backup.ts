/**
 * Backups of the books as files: their names, sealing them for a key that is kept elsewhere, sending them away, and which of them are
 * kept. What a backup holds is proved before it counts (jobs/backup).
 */
import { spawnSync } from "node:child_process";
import { verifyBooks } from "../ledger/verify.ts";
import type { SqliteOptions } from "../store/database.ts";
import { readExpectedSchema } from "../store/migrate.ts";
import { openStore } from "../store/sqlite.ts";
import { formatCompact } from "../util/clock.ts";
import { NeedsHuman, TryLater } from "../util/failure.ts";
import { inheritedHome, inheritedPath, type Settings } from "../util/settings.ts";

type Backup = Settings["backup"];

/** "books-20261128T030000Z.sqlite", with ".age" or ".gpg" where it is sealed. */
export function nameBackup(now: number, { seal }: Pick<Backup, "seal">): string {
  return `books-${formatCompact(now)}.sqlite${seal === "none" ? "" : `.${seal}`}`;
}

const nameForm = /^books-(\d{4})(\d{2})(\d{2})T\d{6}Z\.sqlite(?:\.age|\.gpg)?$/;

/** Seals a file for whoever has the key of `recipient`; the machine that makes backups cannot open them. */
export function sealFile(file: string, to: string, { seal, recipient }: Backup): void {
  if (seal === "age") run(["age", "--encrypt", "--recipient", recipient, "--output", to, file]);
  else
    run([
      "gpg",
      "--batch",
      "--yes",
      "--trust-model",
      "always",
      "--encrypt",
      "--recipient",
      recipient,
      "--output",
      to,
      file,
    ]);
}

/** Opens a backup: by the key file for age, by the user's own keys for gpg. A file without a seal is none. */
export function openFile(file: string, to: string, identity: string | undefined): boolean {
  if (file.endsWith(".age")) {
    if (identity === undefined)
      throw new NeedsHuman(`${file} is sealed with age; say where the key is: --identity FILE`);
    run(["age", "--decrypt", "--identity", identity, "--output", to, file]);
    return true;
  }
  if (!file.endsWith(".gpg")) return false;
  run(["gpg", "--batch", "--yes", "--output", to, "--decrypt", file]);
  return true;
}

/**
 * Sends a backup to another machine by the operator's command, in which {file} stands for it.
 * @throws TryLater where the command fails: the backup is made, and is sent with the next
 */
export function sendFile(file: string, { copy }: Backup): void {
  const [program = "", ...words] = copy.map((word) => word.replaceAll("{file}", file));
  const { error, status, stderr } = start(program, words);
  if (error !== undefined || status !== 0)
    throw new TryLater(
      `the backup is made and was not sent: ${program} ended with ${status ?? error?.message}: ${lastLine(stderr)}`,
    );
}

/** What a copy of the books holds. */
export interface Proved {
  readonly transfers: bigint;
  /** When the newest was posted; undefined where there is none. */
  readonly newestAt: number | undefined;
}

/**
 * Opens a copy as the programs would, and works everything out again; each thing that is wrong is complained of.
 * @throws NeedsHuman, naming `what`, if anything is
 */
export async function proveCopy(
  options: SqliteOptions,
  what: string,
  complain: (line: string) => void,
): Promise<Proved> {
  const store = openStore(options);
  let wrong = 0;
  try {
    const proved = await store.read(async (tx) => {
      const { transfers } = await verifyBooks(tx, readExpectedSchema(options), ({ table, row, message }) => {
        wrong += 1;
        complain(`${table} ${row}: ${message}`);
      });
      const newest = await tx.get<{ at: bigint | null }>("SELECT max(posted_at) AS at FROM transfer");
      return { transfers, newestAt: newest?.at == null ? undefined : Number(newest.at) };
    });
    if (wrong > 0) throw new NeedsHuman(`${what}: ${wrong} things are wrong with it; see above`);
    return proved;
  } finally {
    store.close();
  }
}

function run([program = "", ...words]: readonly string[]): void {
  const { error, status, stderr } = start(program, words);
  if (error !== undefined) throw new NeedsHuman(`${program} cannot be started; install it`, { cause: error });
  if (status !== 0) throw new NeedsHuman(`${program} ended with ${status}: ${lastLine(stderr)}`);
}

function start(program: string, words: readonly string[]) {
  const environment = { PATH: inheritedPath(), HOME: inheritedHome() };
  return spawnSync(program, words, {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    env: environment,
  });
}

/** There is none of a program that was not started. */
function lastLine(text: string | null): string {
  return (text ?? "").trim().split("\n").at(-1) ?? "";
}

/**
 * The backups that may go: all but those of the newest day, and the newest of each of the last days, weeks, and months that have
 * one. Names that are no backups' are never among them.
 */
export function chooseOld(names: readonly string[], { keep }: Backup): readonly string[] {
  const backups = names
    .filter((name) => nameForm.test(name))
    .sort()
    .reverse();
  const kept = new Set<string>();
  const keepNewest = (most: number, periodOf: (name: string) => string): void => {
    const seen = new Set<string>();
    for (const name of backups) {
      const period = periodOf(name);
      if (seen.has(period)) continue;
      if (seen.size >= most) return;
      seen.add(period);
      kept.add(name);
    }
  };
  const dayOf = (name: string): string => nameForm.exec(name)?.slice(1, 4).join("-") ?? "";
  keepNewest(keep.days, dayOf);
  keepNewest(keep.weeks, (name) => weekOf(dayOf(name)));
  keepNewest(keep.months, (name) => dayOf(name).slice(0, 7));
  return backups.filter((name) => !kept.has(name) && dayOf(name) !== dayOf(backups[0] ?? ""));
}

/** The number of the week since a Monday long ago. */
function weekOf(day: string): string {
  return String(Math.floor((Date.parse(`${day}T00:00:00Z`) / 86_400_000 + 3) / 7));
}
