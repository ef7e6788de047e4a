// Goal of this test: a mail in the outbox is delivered at least once with the same Message-ID, whatever dies in
// between, in each transport; headers cannot be injected, and a live token is forgotten once it is sent.
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dispatchMail } from "../lib/mail/dispatch.ts";
import {
  claimMail,
  countMails,
  enqueueMail,
  markFailed,
  markSent,
  type NewMail,
} from "../lib/mail/outbox.ts";
import { makeTransport, messageIdOf } from "../lib/mail/transport.ts";
import type { MailSettings } from "../lib/util/settings.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

const settings: MailSettings = {
  from: "Picodollar <accounts@picodollar.example>",
  transport: "folder",
  sendmail: "/usr/sbin/sendmail",
  smtpHost: "",
  smtpPort: 587,
  smtpUser: "",
  smtpTls: "starttls",
};
const minute = 60_000;

let test: TestStore;
beforeEach(() => {
  test = makeTestStore();
});
afterEach(() => test.end());

const put = (change: Partial<NewMail> = {}) =>
  test.store.write((tx) =>
    enqueueMail(tx, {
      id: "signup/1",
      to: "ada@example.org",
      subject: "Grüße",
      body: "Hello,\nthe link: x\n",
      hasToken: false,
      ...change,
    }),
  );
const send = (mail: MailSettings = settings) =>
  dispatchMail(
    test.store,
    makeTransport({ mail, smtpPassword: "", folder: join(test.folder, "mail") }),
    () => undefined,
  );
const counts = async () => Object.fromEntries(await test.store.read(countMails));
const files = () => readdirSync(join(test.folder, "mail"));

/** A program in sendmail's place: what it is told is written beside it, and it exits as the test says. */
function makeSendmail(exitCode: number): MailSettings {
  const program = join(test.folder, "sendmail");
  writeFileSync(
    program,
    `#!/bin/sh\necho "$@" > ${test.folder}/arguments\ncat > ${test.folder}/message\nexit ${exitCode}\n`,
  );
  chmodSync(program, 0o755);
  return { ...settings, transport: "sendmail", sendmail: program };
}

describe("the outbox", () => {
  it("takes a mail once for one cause", async () => {
    expect(await put()).toBe("created");
    expect(await put({ subject: "again" })).toBe("exists");
    expect(await counts()).toEqual({ queued: 1n });
  });

  it.each([{ to: "a@b.example\r\nBcc: c@d.example" }, { subject: "x\nBcc: c@d.example" }])(
    "refuses %j",
    async (change) => {
      await expect(put(change)).rejects.toThrow(/control characters/);
    },
  );

  it("goes back with the transaction that put it there", async () => {
    const work = test.store.write(async (tx) => {
      await enqueueMail(tx, { id: "x", to: "a@b.example", subject: "s", body: "b", hasToken: false });
      throw new Error("undone");
    });
    await expect(work).rejects.toThrow("undone");
    expect(await counts()).toEqual({});
  });

  it("becomes one .eml file with a stable Message-ID, and the sent token is forgotten", async () => {
    await put({ hasToken: true });
    expect(await send()).toEqual({ sent: 1, later: 0, parked: 0 });
    const [name] = files();
    expect(name).toMatch(/^20261123T080000Z-[0-9a-f]{12}\.eml$/);
    const text = readFileSync(join(test.folder, "mail", name ?? ""), "utf8");
    expect(text).toContain(`Message-ID: ${messageIdOf(settings, "signup/1")}`);
    expect(text).toMatch(/^Date: Mon, 23 Nov 2026 08:00:00 \+0000$/m);
    expect(text).toMatch(/^To: ada@example\.org$/m);
    expect(text).toContain("the link: x");
    expect(test.raw("SELECT body FROM outbox")).toEqual([{ body: "(held a token; blanked when sent)" }]);
    expect(await send()).toEqual({ sent: 0, later: 0, parked: 0 });
  });

  it("says unknown where a sender died with a mail in hand, sends it again, and it is the same mail", async () => {
    await put();
    await test.store.write(claimMail);
    expect(await send()).toEqual({ sent: 0, later: 0, parked: 0 });
    test.clock.ms += 5 * minute;
    expect(await send()).toEqual({ sent: 1, later: 0, parked: 0 });
    expect(test.raw("SELECT state, doubts FROM outbox")).toEqual([{ state: "sent", doubts: 1n }]);
  });

  it("that was sent, but not marked, makes no second file", async () => {
    await put();
    const mail = await test.store.write(claimMail);
    if (mail === undefined) throw new Error("a mail is due");
    await makeTransport({ mail: settings, smtpPassword: "", folder: join(test.folder, "mail") })(mail);
    test.clock.ms += 5 * minute;
    expect(await send()).toEqual({ sent: 1, later: 0, parked: 0 });
    expect(files()).toHaveLength(1);
  });

  it("that was written or claimed while the clock was a year ahead is sent when that is mended", async () => {
    const now = test.clock.ms;
    test.clock.ms += 365 * 24 * 60 * minute;
    await put();
    await put({ id: "signup/2" });
    expect(await test.store.write(claimMail)).toMatchObject({ id: "signup/1" });
    test.clock.ms = now;
    await send();
    test.clock.ms += 6 * minute;
    await send();
    expect(await counts()).toEqual({ sent: 2n });
    expect(files()).toHaveLength(2);
  });

  it("keeps no live token once it is given up", async () => {
    await put({ hasToken: true });
    const mail = await test.store.write(claimMail);
    if (mail === undefined) throw new Error("a mail is due");
    await test.store.write((tx) => markFailed(tx, mail, { permanent: true, message: "no such user" }));
    expect(test.raw("SELECT state, body FROM outbox")).toEqual([
      { state: "parked", body: "(held a token; blanked when sent)" },
    ]);
  });

  it("stays sent when a sender that was thought dead says at last that it failed", async () => {
    await put();
    const slow = await test.store.write(claimMail);
    if (slow === undefined) throw new Error("a mail is due");
    test.clock.ms += 5 * minute;
    expect(await send()).toEqual({ sent: 1, later: 0, parked: 0 });
    await test.store.write((tx) => markFailed(tx, slow, { permanent: false, message: "too late" }));
    expect(test.raw("SELECT state, last_error AS error FROM outbox")).toEqual([{ state: "sent", error: "" }]);
  });

  it("is sent, and not sent again, when a sender that was thought dead says at last that it went", async () => {
    await put();
    const slow = await test.store.write(claimMail);
    if (slow === undefined) throw new Error("a mail is due");
    test.clock.ms += 5 * minute;
    await put({ id: "signup/2" });
    // The claim ran out, so another sender has it.
    expect((await test.store.write(claimMail))?.id).toBe(slow.id);
    await test.store.write((tx) => markSent(tx, slow));
    expect(await send()).toEqual({ sent: 1, later: 0, parked: 0 });
    expect(test.raw("SELECT id, state FROM outbox ORDER BY id")).toEqual([
      { id: slow.id, state: "sent" },
      { id: "signup/2", state: "sent" },
    ]);
  });

  it("is not sent twice by two senders at once", async () => {
    for (let number = 0; number < 20; number += 1) await put({ id: `signup/${number}` });
    const reports = await Promise.all([send(), send()]);
    expect(reports[0].sent + reports[1].sent).toBe(20);
    expect(files()).toHaveLength(20);
  });
});

describe("the sendmail program", () => {
  it("gets the message and the recipient as an argument, no shell between", async () => {
    await put({ to: "a'$(id)@example.org" });
    expect(await send(makeSendmail(0))).toEqual({ sent: 1, later: 0, parked: 0 });
    expect(readFileSync(join(test.folder, "arguments"), "utf8")).toBe(
      "-i -f accounts@picodollar.example -- a'$(id)@example.org\n",
    );
    expect(readFileSync(join(test.folder, "message"), "utf8")).toContain("Subject: =?UTF-8?");
  });

  it.each([64, 65, 67, 1])("parks a mail at exit code %d", async (code) => {
    await put();
    expect(await send(makeSendmail(code))).toEqual({ sent: 0, later: 0, parked: 1 });
    expect(test.raw("SELECT last_error FROM outbox")).toMatchObject([
      { last_error: expect.stringContaining(`exit code ${code}`) },
    ]);
  });

  it("is tried again at any other exit code, later and later, and at last given up", async () => {
    await put();
    const mail = makeSendmail(75);
    for (const [index, minutes] of [1, 5, 15, 60, 180, 360, 720, 1440].entries()) {
      expect([index, await send(mail)]).toEqual([index, { sent: 0, later: 1, parked: 0 }]);
      test.clock.ms += minutes * minute - 1;
      expect(await send(mail)).toEqual({ sent: 0, later: 0, parked: 0 });
      test.clock.ms += 1;
    }
    expect(await send(mail)).toEqual({ sent: 0, later: 0, parked: 1 });
  });

  it("that is missing leaves the mail in the outbox", async () => {
    await put();
    const mail: MailSettings = { ...settings, transport: "sendmail", sendmail: "/nonexistent/sendmail" };
    expect(await send(mail)).toEqual({ sent: 0, later: 1, parked: 0 });
    expect(existsSync(join(test.folder, "mail"))).toBe(false);
  });
});
