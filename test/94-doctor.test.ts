// Goal of this test: `site doctor` finds a host that does what it should right, and each thing that stopped, by its name and with what to
// do; and tells what changed since the last time.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examine, findChanges } from "../build/host/doctor.ts";
import { listLaunched } from "../build/launcher.ts";
import { openAccount } from "../lib/accounts/account.ts";
import type { Email } from "../lib/accounts/email.ts";
import { programVersion } from "../lib/store/known.ts";
import { openStore } from "../lib/store/sqlite.ts";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { canHost, type Host, startHost } from "./support/host.ts";
import { projectFolder } from "./support/served.ts";

const hourMs = 3_600_000;

describe.skipIf(!canHost)("a host that is examined", () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  }, 60_000);
  afterAll(() => host?.end());

  const at = (path: string) => join(host.folder, path);
  const look = (laterMs = 0) =>
    examine({
      sourceFolder: at("source"),
      outFolder: at("dist"),
      clock: { now: () => systemClock.now() + laterMs },
    });
  const wrongs = async (laterMs = 0) =>
    (await look(laterMs)).flatMap(({ what, state, detail }) =>
      state === "wrong" ? [`${what}: ${detail}`] : [],
    );
  const backUp = () =>
    spawnSync(process.execPath, [at("dist/current/jobs/backup")], { env: { SITE_DATA: at("data") } }).status;

  const site = (...words: readonly string[]) =>
    spawnSync(
      process.execPath,
      [join(projectFolder, "out/cli/site.cjs"), ...words, "--source", at("source"), "--out", at("dist")],
      { encoding: "utf8" },
    );

  it("says what is to be done at first, and then that all is right", async () => {
    expect(await wrongs()).toEqual([
      "warm/: 28 of 28 programs are not warm; run: site warm".replaceAll(
        "28",
        String(listLaunched(at("dist/current")).length),
      ),
      "backup: there is none; run: site job backup",
    ]);
    expect(site("warm").status).toBe(0);
    expect(backUp()).toBe(0);
    expect(await wrongs()).toEqual([]);
    const found = await look();
    expect(found.find(({ what }) => what === "Node")?.detail).toBe(process.version);
    expect(found.find(({ what }) => what === "night")?.detail).toBe("nothing is to be billed yet");
    const said = site("doctor", "--json");
    expect(said.status).toBe(0);
    expect((JSON.parse(said.stdout) as { what: string }[]).map(({ what }) => what)).toEqual(
      found.map(({ what }) => what),
    );
  }, 60_000);

  it("a program's cache that is of no use, and a driver that cannot be loaded, are told", async () => {
    const cache = readdirSync(at("dist/warm")).find((name) => name.startsWith("account.")) ?? "";
    const before = readFileSync(at(`dist/warm/${cache}`));
    truncateSync(at(`dist/warm/${cache}`), 3000);
    expect(await wrongs()).toEqual([
      expect.stringMatching(/^warm\/: what was kept of account is of no use; run: site warm$/),
    ]);
    writeFileSync(at(`dist/warm/${cache}`), before);
    const addon = at("dist/current/native/better_sqlite3.node");
    const driver = readFileSync(addon);
    rmSync(addon);
    writeFileSync(addon, "no driver");
    expect((await wrongs()).join("\n")).toMatch(
      /^Node: it cannot load the database driver; build the site again with this Node/m,
    );
    rmSync(addon);
    writeFileSync(addon, driver);
    expect(await wrongs()).toEqual([]);
  });

  it("mail that waits or is given up, a night that was missed, and a backup that is old are told", async () => {
    const now = systemClock.now();
    const mail = (id: string, state: string) =>
      host.rows(
        `INSERT INTO outbox (id, recipient, subject, body, has_token, state, created_at, due_at) VALUES ('${id}', 'a@example.org', 's', 'b', 0, '${state}', ${now - 20 * 60_000}, ${now - 20 * 60_000})`,
      );
    mail("one", "queued");
    expect(await wrongs()).toEqual([
      expect.stringMatching(/^mail: the oldest waits for 20 minutes; look at what jobs\/mail says$/),
    ]);
    host.rows("UPDATE outbox SET state = 'parked'");
    expect(await wrongs()).toEqual([
      expect.stringMatching(/^mail: 1 could not be sent, and wait for a person/),
    ]);
    host.rows("UPDATE outbox SET state = 'sent'");
    expect(await wrongs(27 * hourMs)).toEqual([
      expect.stringMatching(/^backup: the newest is books-\w+\.sqlite, 27 hours old; run: site job backup$/),
    ]);
    const [backup = ""] = readdirSync(at("data/backups"));
    utimesSync(at(`data/backups/${backup}`), (now - 30 * hourMs) / 1000, (now - 30 * hourMs) / 1000);
    expect(await wrongs()).toEqual([expect.stringContaining("30 hours old")]);
    utimesSync(at(`data/backups/${backup}`), now / 1000, now / 1000);
    expect(await wrongs()).toEqual([]);
    const store = openStore({ file: at("data/books.sqlite"), clock: systemClock });
    const due = addDays(dayOf(now - 3.5 * hourMs), -1);
    await store.write(async (tx) => {
      const account = await openAccount(tx, "ada@example.org" as Email, "");
      await tx.run(
        "INSERT INTO usage (day, account, machine, meter, quantity, received_at) VALUES (?, ?, 'm', 'storage', 1, 1)",
        [due, account],
      );
    });
    expect(await wrongs()).toEqual([
      `night: no day is the last that was billed, and ${due} is due; run: site job bill`,
    ]);
    await store.write((tx) =>
      tx.run("INSERT INTO skipped_day (day, reason, skipped_at) VALUES (?, 'no', 1)", [due]),
    );
    store.close();
    expect(await wrongs()).toEqual([]);
  });

  it("books of another schema are told, and what stopped or was mended since the last time", async () => {
    const before = await look();
    host.rows("PRAGMA user_version = 3");
    const after = await look();
    host.rows(`PRAGMA user_version = ${programVersion}`);
    expect(after.filter(({ state }) => state === "wrong")).toEqual([
      {
        what: "books",
        state: "wrong",
        detail: expect.stringContaining(
          `has schema 3, these programs need ${programVersion}; run: site migrate`,
        ),
      },
    ]);
    expect(findChanges(after, before).map(({ what }) => what)).toEqual(["books"]);
    expect(findChanges(after, after)).toEqual([]);
    expect(findChanges(before, after)).toEqual([{ what: "books", state: "right", detail: "mended" }]);
  });
});
