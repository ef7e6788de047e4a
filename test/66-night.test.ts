// Goal of this test: the owner reads each morning what the night did and how the house stands, also when it failed; whoever
// watches the heartbeat hears of good nights alone.
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { templateShapes } from "../build/shapes.ts";
import { endServer, listen } from "../dev/listen.ts";
import { job as billJob } from "../jobs/bill.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { amountOf } from "../lib/money/amount.ts";
import { reportNight } from "../lib/staff/night.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import type { Settings } from "../lib/util/settings.ts";
import { addAccount, dayUtc, meters, topUp, usageFile } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { findPort } from "./support/served.ts";
import { makeSettings, packageRenderer } from "./support/site.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let ada: AccountId;
let beats: number;
let status: number;
let heartbeat: string;
const watcher = createServer((_request, response) => {
  beats += 1;
  response.writeHead(status).end();
});

beforeEach(async () => {
  [beats, status] = [0, 200];
  heartbeat = `http://127.0.0.1:${await listen(watcher, 0)}/ping`;
  test = makeTestStore();
  ada = await addAccount(test.store, "ada@example.org");
  await topUp(test.store, ada, amountOf(10n ** 19n));
  const { lines } = readUsageFile(usageFile([`2026-11-21,${ada},box,storage,1000`]));
  await test.store.write((tx) => importUsage(tx, { lines, meters, complete: [dayUtc("2026-11-21")] }));
});
afterEach(async () => {
  test.end();
  await endServer(watcher);
});

const night = (change: Partial<Settings> = {}) =>
  runTestJob(test, billJob, [], {}, { settings: { reportTo: "owner@example.org", heartbeat, ...change } });
const mails = () =>
  test.raw("SELECT recipient, subject, body FROM outbox ORDER BY created_at") as {
    recipient: string;
    subject: string;
    body: string;
  }[];

describe("a night", () => {
  it("that went well is told of by mail, with how the house stands, and by the heartbeat", async () => {
    const run = await night();
    expect(run.outcome).toBe("done");
    const [mail] = mails();
    expect(mail).toMatchObject({
      recipient: "owner@example.org",
      subject: expect.stringMatching(/: the night of 2026-11-23 went well$/),
    });
    for (const line of [...run.said, ...run.complained]) expect(mail?.body).toContain(line);
    // What nobody declared is told too.
    expect(mail?.body).toContain("2026-11-22 is not declared complete and not billed");
    expect(mail?.body).toContain("customers  1 with a balance, together $9.999999991666667000; 0 below zero");
    expect(beats).toBe(1);
  });

  it("that failed is told of by mail, and not by the heartbeat", async () => {
    const dearer = meters.filter((meter) => meter.name !== "storage");
    await expect(night({ meters: dearer })).rejects.toThrow("1 days are not billed whole");
    expect(mails()).toMatchObject([
      {
        subject: expect.stringMatching(/needs you$/),
        body: expect.stringContaining('meter "storage" has no price'),
      },
    ]);
    expect(beats).toBe(0);
  });

  it("is told of each time it is run, and to nobody where the site names nobody", async () => {
    await night();
    test.clock.ms += 1000;
    await night();
    expect(mails()).toHaveLength(2);
    await night({ reportTo: "", heartbeat: "" });
    expect([mails().length, beats]).toEqual([2, 2]);
  });

  it("stays good where the heartbeat's address fails, and says so", async () => {
    status = 500;
    const run = await night();
    expect([run.outcome, run.complained.at(-1)]).toEqual([
      "done",
      "bill: the heartbeat's address could not be called: it answered 500",
    ]);
    const gone = await night({ heartbeat: `http://127.0.0.1:${await findPort()}/` });
    expect(gone.complained.at(-1)).toContain("could not be called: connect ECONNREFUSED");
  });

  it("gives its template what the build says", async () => {
    const renderer = await packageRenderer();
    let given: readonly string[] = [];
    const render: typeof renderer.render = (name, data) => {
      given = Object.keys(data).sort();
      return renderer.render(name, data);
    };
    const settings = { ...(await makeSettings()), reportTo: "owner@example.org" };
    await reportNight(test.store, { ...renderer, render }, settings, {
      isGood: true,
      lines: [],
      endedAt: test.clock.ms,
    });
    expect(given).toEqual(Object.keys(templateShapes["mail/report"] ?? {}).sort());
  });
});
