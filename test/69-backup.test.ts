// Goal of this test: a backup is one moment of the books, proved before it counts, opened by its key alone, and comes back as it was;
// a wrong copy never takes the place of a good one; and old ones go by the schedule, and nothing else.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as backupJob } from "../jobs/backup.ts";
import { job as creditJob } from "../jobs/credit.ts";
import { job as restoreJob } from "../jobs/restore.ts";
import { openAccount } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { chooseOld } from "../lib/staff/backup.ts";
import type { Settings } from "../lib/util/settings.ts";
import { runTestJob } from "./support/job.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

const hasAge = spawnSync("age-keygen", ["--version"]).status === 0;
const keep = { days: 14, weeks: 8, months: 12 };
const plain: Settings["backup"] = { seal: "none", recipient: "", copy: [], keep };

let test: TestStore;
let away: string;
beforeEach(async () => {
  test = makeTestStore();
  away = mkdtempSync(join(tmpdir(), "picodollar-away-"));
  const email = parseEmail("ada@example.org");
  if (email === undefined) throw new Error("that is an address");
  const account = await test.store.write((tx) => openAccount(tx, email, ""));
  for (const reason of ["one", "two", "three"])
    await runTestJob(test, creditJob, ["gift", account, "1"], { reason, by: "colin" });
});
afterEach(() => {
  test.end();
  rmSync(away, { recursive: true, force: true });
});

const folder = () => join(test.folder, "backups");
const backups = () => (existsSync(folder()) ? readdirSync(folder()).sort() : []);
const back = (backup: Settings["backup"] = plain) =>
  runTestJob(test, backupJob, [], {}, { settings: { backup } });
const restore = (
  file: string,
  values: Record<string, string | boolean> = { drill: true },
  on: TestStore = test,
) => runTestJob(on, restoreJob, [file], values);
const newest = () => join(folder(), backups().at(-1) ?? "none");
const transfers = (of: TestStore) => of.raw("SELECT id, code, debit, credit FROM transfer ORDER BY number");

describe("a backup", () => {
  it("is proved, for its owner alone, and said to be on this machine only where it is not sent", async () => {
    const { outcome, said } = await back();
    expect(outcome).toBe("done");
    expect(said).toEqual([
      expect.stringMatching(
        /^backup: books-20261123T080000Z\.sqlite, \d+ bytes, 3 transfers proved, not sealed; 0 old/,
      ),
      expect.stringContaining("kept on this machine alone"),
    ]);
    expect(backups()).toEqual(["books-20261123T080000Z.sqlite"]);
    expect(statSync(newest()).mode & 0o777).toBe(0o600);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
  });

  it("is one moment, though somebody writes meanwhile, and keeps nobody waiting", async () => {
    let backed: Promise<unknown> | undefined;
    await test.store.write(async (tx) => {
      await tx.run("UPDATE account SET terms = 'half' WHERE email = 'ada@example.org'");
      // The lock of a writer is held while the copy is made.
      backed = back();
    });
    await backed;
    const drill = await restore(newest());
    expect(drill.said).toEqual([
      expect.stringMatching(
        /^restore: 3 transfers proved, the newest of 2026-11-23T08:00:00Z; a drill, nothing was changed; \d+\.\d s$/,
      ),
    ]);
  });

  it("comes back on a new machine as it was, and never over books that are there", async () => {
    await back();
    const other = makeTestStore();
    try {
      expect((await restore(newest(), {}, other)).complained).toEqual([
        expect.stringContaining("is there; move it away, or try the backup with --drill"),
      ]);
      for (const name of readdirSync(other.folder)) rmSync(join(other.folder, name), { recursive: true });
      writeFileSync(join(other.folder, "books.sqlite-wal"), "of the books that were there");
      expect((await restore(newest(), {}, other)).complained).toEqual([
        expect.stringContaining("-wal is there; move it"),
      ]);
      rmSync(join(other.folder, "books.sqlite-wal"));
      expect((await restore(newest(), {}, other)).outcome).toBe("done");
      expect(transfers(other)).toEqual(transfers(test));
      expect(readdirSync(other.folder).filter((name) => name.startsWith("."))).toEqual([]);
    } finally {
      other.end();
    }
  });

  it.skipIf(!hasAge)("that is sealed opens with its key, and with no other", async () => {
    const keyOf = (name: string) => {
      const file = join(away, name);
      spawnSync("age-keygen", ["-o", file]);
      return { file, recipient: /public key: (age1\w+)/.exec(readFileSync(file, "utf8"))?.[1] ?? "" };
    };
    const [own, other] = [keyOf("own"), keyOf("other")];
    const { said } = await back({ ...plain, seal: "age", recipient: own.recipient });
    expect(said[0]).toContain("sealed with age");
    expect(backups()).toEqual(["books-20261123T080000Z.sqlite.age"]);
    const bytes = readFileSync(newest(), "latin1");
    expect(bytes).toMatch(/^age-encryption/);
    expect(bytes).not.toMatch(/SQLite format|ada@example/);
    await expect(restore(newest())).rejects.toThrow("say where the key is: --identity FILE");
    await expect(restore(newest(), { drill: true, identity: other.file })).rejects.toThrow(
      "age ended with 1",
    );
    expect((await restore(newest(), { drill: true, identity: own.file })).said[0]).toContain(
      "3 transfers proved",
    );
    await expect(back({ ...plain, seal: "age", recipient: "age1none" })).rejects.toThrow("age ended with");
    expect(backups()).toEqual(["books-20261123T080000Z.sqlite.age"]);
  });

  it("of books that are wrong is thrown away, and those of before stay", async () => {
    await back();
    test.clock.ms += 1000;
    test.raw("DROP TRIGGER transfer_no_update");
    test.raw("UPDATE transfer SET picodollars = picodollars + 1 WHERE number = 2");
    await expect(back()).rejects.toThrow("the copy is not right, and was thrown away");
    expect(backups()).toEqual(["books-20261123T080000Z.sqlite"]);
  });

  it("that was damaged since is found out by a drill", async () => {
    await back();
    const bytes = readFileSync(newest());
    writeFileSync(newest(), bytes.subarray(0, bytes.length - 8192));
    await expect(restore(newest())).rejects.toThrow();
    writeFileSync(newest(), "no database at all, but a text of some length that stands in its place");
    await expect(restore(newest())).rejects.toThrow();
    expect((await restore(join(folder(), "none"))).complained[0]).toContain("is not there");
  });

  it("is sent by the owner's command; where that fails the backup is made, and it is told", async () => {
    const { said } = await back({ ...plain, copy: ["cp", "{file}", `${away}/`] });
    expect(said.at(-1)).toBe("backup: sent by cp");
    expect(readdirSync(away)).toEqual(["books-20261123T080000Z.sqlite"]);
    test.clock.ms += 1000;
    await expect(back({ ...plain, copy: ["cp", "{file}", `${away}/none/x`] })).rejects.toThrow(
      /the backup is made and was not sent: cp ended with 1: /,
    );
    await expect(back({ ...plain, copy: ["no-such-program", "{file}"] })).rejects.toThrow("was not sent");
    expect(backups()).toHaveLength(2);
  });

  it("clears away what a run left that died", async () => {
    mkdirSync(folder());
    appendFileSync(join(folder(), ".books-20261122T080000Z.sqlite.plain"), "half");
    await back();
    expect(backups()).toEqual(["books-20261123T080000Z.sqlite"]);
  });
});

describe("old backups", () => {
  it("go but for the newest of each of the last days, weeks, and months; nothing else does", () => {
    const day = (n: number) =>
      new Date(Date.UTC(2026, 10, 28) - n * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
    const daily = Array.from({ length: 800 }, (_, n) => `books-${day(n)}T023000Z.sqlite.age`);
    const more = [
      `books-${day(1)}T010000Z.sqlite.age`,
      "books-old.sqlite",
      "notes.txt",
      "books-20260101T000000Z.sqlite-wal",
    ];
    const old = new Set(chooseOld([...more, ...daily], { ...plain, keep }));
    const kept = daily.filter((name) => !old.has(name));
    expect(kept.slice(0, 14)).toEqual(daily.slice(0, 14));
    expect(old).toContain(more[0]);
    const today = [`books-${day(0)}T010000Z.sqlite`, `books-${day(0)}T150000Z.sqlite`];
    expect(
      chooseOld([...today, ...daily], { ...plain, keep }).filter((name) => today.includes(name)),
    ).toEqual([]);
    for (const name of more.slice(1)) expect(old).not.toContain(name);
    // Fourteen days reach into the third week; five weeks more, which reach into October; and ten months more.
    const months = new Set(kept.map((name) => name.slice(6, 12)));
    expect(months.size).toBe(12);
    expect(kept.length).toBeGreaterThanOrEqual(14 + 5 + 9);
    expect(kept.length).toBeLessThanOrEqual(14 + 8 + 12);
    // Day after day by this rule, the same are kept as by looking at all of them once.
    let there: string[] = [];
    for (const name of [...daily].reverse()) {
      there.push(name);
      const gone = new Set(chooseOld(there, { ...plain, keep }));
      there = there.filter((one) => !gone.has(one));
    }
    expect(there.length).toBeGreaterThanOrEqual(14 + 5);
    expect(there.slice(-14).reverse()).toEqual(daily.slice(0, 14));
  });
});
