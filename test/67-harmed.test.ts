// Goal of this test: every other program that moves money or sends mail, killed at any write or sync, or told by the disk that it
// failed or is full: nothing acknowledged is lost, nothing is wrong with the books, and the same command again ends where a run
// without harm does. The suite takes some of the places; `SWEEP=all` takes each.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Stripe from "stripe";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stripeApiVersion } from "../lib/payments/stripe/signed.ts";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { key, openDesk, type TestDesk, wanted, webhookSecret } from "./support/desk.ts";
import { describeBooks, makeOldBooks, writeBooks } from "./support/harm.ts";
import { askHledger, hasHledger } from "./support/hledger.ts";
import {
  type Bench,
  type Call,
  canInject,
  type Harm,
  job,
  openBench,
  type Program,
} from "./support/killing.ts";
import { readRows } from "./support/store.ts";

const isWhole = process.env.SWEEP === "all";
const places = 3;
const browser = "B".repeat(43);
const yesterday = addDays(dayOf(systemClock.now()), -1);
let bench: Bench;
let desk: TestDesk;

interface Victim {
  /** Made for each run: signatures grow old. */
  readonly program: () => Program;
  /** Changes the books, and what Stripe knows, before each run. */
  readonly prepare?: () => Promise<void>;
  /** The books are of an older schema, which verify refuses. */
  readonly isOld?: boolean;
  /** Lets time pass before the program is run again. */
  readonly wait?: () => void;
  /** What is left of a run besides the books. */
  readonly check?: () => void;
}

const sql = (text: string): unknown[] => readRows(bench.file, text);
const account = (): string => (sql("SELECT id FROM account ORDER BY email LIMIT 1")[0] as { id: string }).id;

/** A checkout that was paid, for an order that the books have; returns its payment intent. */
async function pay(): Promise<string> {
  return desk.books.findSession(await checkOut())?.payment_intent ?? "";
}

async function checkOut(): Promise<string> {
  const session = await desk
    .connect()
    .checkout.sessions.create({ ...wanted, metadata: { order: "order_open" } });
  await desk.press(session, "pay");
  sql(`INSERT INTO payment_order VALUES ('order_open', '${account()}', 11000000000000, 0, 0, 1)`);
  return session.id;
}

/** The same, known to the books. */
async function payAndTake(): Promise<void> {
  const intent = await pay();
  sql(
    `INSERT INTO transfer SELECT max(number) + 1, 'topup/${intent}', 'topup', 'stripe-clearing', '${account()}', 11000000000000, 0,
       'order_open', '${dayOf(systemClock.now())}', ${systemClock.now()} FROM transfer`,
  );
  for (const [id, sign] of [
    [account(), "+"],
    ["stripe-clearing", "-"],
  ])
    sql(
      `UPDATE balance SET picodollars = picodollars ${sign} 11000000000000, through = (SELECT max(number) FROM transfer)
       WHERE ledger_account = '${id}'`,
    );
}

/** A request as lighttpd hands it to a program. */
function request(name: string, input: string, environment: Readonly<Record<string, string>>): Program {
  const path = `/account/${name}.cgi`;
  const head = { REQUEST_METHOD: "POST", SCRIPT_NAME: path, HTTP_HOST: "storage.example.com" };
  const length = { CONTENT_LENGTH: String(Buffer.byteLength(input)), REMOTE_ADDR: "192.0.2.1" };
  return { path: `cgi${path}`, environment: { ...head, ...length, ...environment }, input };
}

function paidEvent(): Program {
  const session = {
    id: "cs_test_1",
    metadata: { order: "order_open" },
    payment_status: "paid",
    status: "complete",
    payment_intent: "pi_open",
    amount_total: 1100,
    currency: "usd",
    livemode: false,
  };
  const payload = JSON.stringify({
    id: "evt_1",
    object: "event",
    type: "checkout.session.completed",
    api_version: stripeApiVersion,
    data: { object: session },
  });
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: webhookSecret });
  return request("stripe-webhook", payload, { HTTP_STRIPE_SIGNATURE: signature });
}

const usageRows = ["a", "b", "c"].map((machine) => `${yesterday},1@example.org,${machine},storage,1000`);
const orderOpen = async (): Promise<void> =>
  void sql(`INSERT INTO payment_order VALUES ('order_open', '${account()}', 11000000000000, 0, 0, 1)`);

/** Mails that lie in the folder more often than once. */
function countDoubled(): number {
  const folder = join(bench.data, "mail");
  const ids = readdirSync(folder)
    .filter((name) => name.endsWith(".eml"))
    .map((name) => /^Message-ID: (.*)$/im.exec(readFileSync(join(folder, name), "utf8"))?.[1]);
  return ids.length - new Set(ids).size;
}

const victims: Readonly<Record<string, () => Victim>> = {
  "usage import": () => {
    const file = join(bench.data, "..", "usage.csv");
    writeFileSync(file, ["day,account,machine,meter,quantity", ...usageRows, ""].join("\n"));
    return { program: () => job("usage", "import", file, "--complete", yesterday) };
  },
  "usage.cgi": () => {
    const body = `${JSON.stringify({ day: yesterday, account: "2@example.org", machine: "a", meter: "upload", quantity: 5 })}\n`;
    return { program: () => request("usage", body, { HTTP_AUTHORIZATION: "Bearer service-token" }) };
  },
  "stripe-webhook.cgi": () => ({ program: paidEvent, prepare: orderOpen }),
  "pay.cgi on the way back": () => ({
    program: () =>
      request("pay", "", {
        REQUEST_METHOD: "GET",
        QUERY_STRING: "order=order_open",
        HTTP_COOKIE: `__Host-session=${browser}`,
      }),
    prepare: async () => {
      const session = await checkOut();
      sql(`INSERT INTO checkout VALUES ('order_open', '${session}', 1)`);
      const ends = systemClock.now() + 3_600_000;
      sql(
        `INSERT INTO session (token_hash, account, created_at, expires_at) VALUES ('${sha256Hex(browser)}', '${account()}', ${ends - 1}, ${ends})`,
      );
    },
  }),
  "usage complete": () => ({ program: () => job("usage", "complete", yesterday) }),
  "billing skip-day": () => ({ program: () => job("billing", "skip-day", yesterday, "--reason=an outage") }),
  "account hold": () => ({ program: () => job("account", "hold", account(), "--reason=ill") }),
  close: () => ({
    program: () => job("close"),
    prepare: async () => {
      const old = systemClock.now() - 8 * 86_400_000;
      sql(
        `INSERT INTO closing (account, money, token_hash, asked_at) VALUES ('${account()}', 'leave', 'x', ${old})`,
      );
    },
  }),
  tidy: () => ({
    program: () => job("tidy"),
    prepare: async () => {
      sql(`INSERT INTO stripe_event (id, type, api_version, raw, outcome, received_at)
             VALUES ('evt_1', 'x', 'y', x'00', 'ignored', 1), ('evt_2', 'x', 'y', x'00', 'ignored', 1)`);
      sql(`INSERT INTO outbox (id, recipient, subject, body, has_token, state, created_at, due_at, settled_at)
             VALUES ('old', 'a@example.org', 's', 'text', 0, 'sent', 1, 1, 1)`);
    },
  }),
  migrate: () => ({
    program: () => job("migrate"),
    prepare: async () => {
      for (const ending of ["", "-wal", "-shm"]) rmSync(bench.file + ending, { force: true });
      makeOldBooks(bench.file);
    },
    isOld: true,
  }),
  reconcile: () => ({
    program: () => job("reconcile"),
    prepare: async () => {
      const intent = await pay();
      desk.books.vault.refund({ paymentIntent: intent, cents: 300, metadata: {} });
      desk.books.vault.payOut(100);
    },
  }),
  recharge: () => ({
    program: () => job("recharge"),
    prepare: async () => {
      const { customer, payment_method: method } = desk.books.wallet.save("save-good", null, {});
      sql(
        `INSERT INTO saved_card VALUES ('${account()}', '${customer}', '${method}', 'visa', '4242', '2030-04', 1)`,
      );
      sql(
        `INSERT INTO recharge_rule VALUES ('${account()}', 1, 1, 'owner', 100000000, 2000, 4000, '${method}', 1)`,
      );
      sql("INSERT INTO unwanted_customer VALUES ('cus_gone', 1, NULL)");
    },
    check: () => expect(desk.books.intents()).toHaveLength(1),
  }),
  refund: () => ({
    program: () => job("refund", account(), "4", "--reason=closes the account"),
    prepare: payAndTake,
  }),
  "credit goodwill": () => ({ program: () => job("credit", "goodwill", "--days=8", "--reason=an outage") }),
  opening: () => {
    const file = join(bench.data, "..", "moving.csv");
    writeFileSync(file, "email,balance\nnew@example.org,5\n1@example.org,-0.5\n");
    return { program: () => job("opening", file, "--reason=moved in") };
  },
  warn: () => ({ program: () => job("warn") }),
  mail: () => ({
    program: () => ({
      ...job("mail"),
      environment: { SITE_MAIL: "folder", SITE_URL: "http://127.0.0.1:8080" },
    }),
    prepare: async () => {
      for (let number = 0; number < 4; number += 1)
        sql(
          `INSERT INTO outbox (id, recipient, subject, body, has_token, state, created_at, due_at)
           VALUES ('m/${number}', '${number}@example.org', 'Hello', 'Hello', 0, 'queued', 1, 1)`,
        );
    },
    // A claim of a sender that died holds for five minutes.
    wait: () => void sql("UPDATE outbox SET due_at = 1 WHERE state <> 'sent'"),
    check: () => {
      const [row] = sql("SELECT coalesce(sum(doubts), 0) AS doubts FROM outbox") as { doubts: bigint }[];
      expect(sql("SELECT DISTINCT state FROM outbox")).toEqual([{ state: "sent" }]);
      expect(countDoubled()).toBeLessThanOrEqual(Number(row?.doubts));
      expect(readdirSync(join(bench.data, "mail")).length).toBeGreaterThanOrEqual(4);
    },
  }),
};

/** A page that says that the payment is under way is no promise; the redirect to the account is. */
const isGood = ({ code, out }: { code: number | null; out: string }): boolean =>
  /^Status: /m.test(out) ? /^Status: 303|^ok$|^\{"added"/m.test(out) : code === 0;

describe.skipIf(!canInject)("a program that comes to harm", () => {
  beforeAll(async () => {
    bench = openBench();
    await writeBooks(bench.books);
    // Two days are billed, so that accounts cost something.
    bench.reset();
    expect(await bench.run(job("bill"))).toMatchObject({ code: 0 });
    sql("PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(bench.file, bench.books);
  }, 60_000);
  afterAll(() => bench.end());
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk.end());

  /** Fresh books, and a Stripe that knows nothing of before. */
  async function begin({ prepare }: Victim): Promise<void> {
    await desk.end();
    desk = await openDesk();
    bench.keepSecrets({
      stripe_key: key,
      stripe_api: desk.url,
      stripe_webhook_secret: webhookSecret,
      usage_token: "service-token",
    });
    bench.reset();
    await prepare?.();
  }

  it.each(Object.keys(victims))(
    "%s is whole when it is run again",
    async (name) => {
      const victim = victims[name]?.();
      if (victim === undefined) throw new Error(`there is no ${name}`);
      await begin(victim);
      const times = await bench.count(victim.program());
      await begin(victim);
      const before = victim.isOld === true ? "" : describeBooks(bench.file);
      const first = await bench.run(victim.program());
      // The reconciliation finds payments of the books that this Stripe does not know, run for run.
      const isRight = (run: typeof first): boolean =>
        name === "reconcile" ? run.code === first.code : isGood(run);
      expect(isRight(first), first.out).toBe(true);
      const right = describeBooks(bench.file);
      expect(right).not.toBe(before);
      const harms: readonly (readonly [Call, Harm])[] = [
        ["pwrite64", "signal=SIGKILL"],
        ["fsync", "signal=SIGKILL"],
        ["pwrite64", "error=EIO"],
        ["fsync", "error=ENOSPC"],
        ...(isWhole
          ? ([
              ["pwrite64", "error=ENOSPC"],
              ["fsync", "error=EIO"],
            ] as const)
          : []),
      ];
      let harmed = 0;
      for (const [call, harm] of harms) {
        const most = times.get(call) ?? 0;
        const stride = isWhole ? 1 : Math.max(1, Math.ceil(most / places));
        for (let time = 1; time <= most; time += stride) {
          await begin(victim);
          const run = await bench.harm(call, time, harm, victim.program());
          const what = `${name}, ${harm} at ${call} ${time} of ${most}: ${run.out}`;
          // An old schema has not all the tables that are compared.
          if (isRight(run)) {
            // It was said to be done: so it is, and stays.
            expect(describeBooks(bench.file), what).toBe(right);
          } else harmed += 1;
          if (victim.isOld !== true)
            expect(await bench.run(job("ledger", "verify")), what).toMatchObject({ code: 0 });
          victim.wait?.();
          const again = await bench.run(victim.program());
          expect(isRight(again), `${what}\nthen: ${again.out}`).toBe(true);
          expect(describeBooks(bench.file), what).toBe(right);
          victim.check?.();
        }
      }
      expect(harmed).toBeGreaterThan(0);
      if (hasHledger)
        expect(askHledger((await bench.run(job("ledger", "export"))).out, "check")).toMatchObject({
          status: 0,
        });
    },
    1_200_000,
  );
});
