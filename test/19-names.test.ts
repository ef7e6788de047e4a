// Goal of this test: a name that a template is not given is found when the site is built, wherever it stands and
// whether the page that shows it is ever opened; and what templates are said to be given is what programs give.
import { join } from "node:path";
import { TOTP } from "otpauth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBaked } from "../build/build.ts";
import { templateShapes } from "../build/shapes.ts";
import { makeSearchIndex } from "../lib/search/index.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";
import { addPasskey } from "./support/authenticator.ts";
import { projectFolder } from "./support/served.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const found = { path: "/", title: "Found", description: "", headings: "", text: "text" };
const given = "is not among what is given here";
const withContent = (text: string) => `{{{content}}}\n${text}`;

describe("a misspelt name", () => {
  it.each([
    [
      "in the argument of a helper",
      "{{#each navigaton}}x{{/each}}",
      `2:9: "navigaton" ${given}; did you mean "navigation"?`,
    ],
    [
      "in a question",
      "{{#if page.desciption}}x{{/if}}",
      `2:7: "desciption" ${given}; did you mean "description"?`,
    ],
    ["in a branch that no page takes", "{{#unless site.name}}{{nmae}}{{/unless}}", /2:24: "nmae"/],
    ["below an #each", "{{#each navigation}}{{#each children}}{{opne}}{{/each}}{{/each}}", /2:41: "opne"/],
    ["with ../", "{{#each navigation}}{{../pge.title}}{{/each}}", /2:23: "pge"/],
    ["with @root", "{{#each navigation}}{{@root.sitee.name}}{{/each}}", /2:23: "sitee" .*"site"/],
    [
      "with a name for the element",
      "{{#each navigation as |entry|}}{{entry.lable}}{{/each}}",
      /2:34: "lable"/,
    ],
    ["in {{#with}}", "{{#with site}}{{titel}}{{/with}}", /2:17: "titel"/],
    ["in {{else}}", "{{#each navigation}}x{{else}}{{label}}{{/each}}", /2:32: "label"/],
    ["of a word's part", "{{page.title.text}}", /2:3: "text"/],
  ])("%s is told", async (_where, text, wanted) => {
    workshop.write("site/layouts/page.html", withContent(text));
    const faults = await workshop.faults();
    expect(faults).toHaveLength(1);
    const message = typeof wanted === "string" ? `layouts/page.html:${wanted}` : wanted;
    if (typeof message === "string") expect(faults[0]).toBe(message);
    else expect(faults[0]).toMatch(message);
  });

  it.each([
    "{{#each navigation}}{{@index}} {{label}} {{../site.name}} {{@root.page.path}}{{/each}}",
    "{{#each navigation as |entry number|}}{{entry.label}}{{number}}{{#each entry.children}}{{href}}{{/each}}{{/each}}",
    "{{#with page}}{{title}}{{#if home}}{{path}}{{/if}}{{/with}}",
    "{{#if navigation.length}}x{{/if}}{{navigation.[0].label}}",
    "{{#each navigation}}{{#if current}}{{label}}{{else}}{{href}}{{/if}}{{else}}{{site.name}}{{/each}}",
    "{{#each navigation}}{{this.label}}{{/each}}{{lookup site 'anything'}}",
  ])("is not seen in %j", async (text) => {
    workshop.write("site/layouts/page.html", withContent(text));
    expect(await workshop.faults()).toEqual([]);
  });

  it("is told in a partial, by the context in which it is used", async () => {
    workshop.write(
      "site/layouts/page.html",
      withContent("{{#each navigation}}{{> entry}}{{/each}}{{> entry site}}"),
    );
    workshop.write("site/layouts/entry.html", "{{name}}");
    expect(await workshop.faults()).toEqual([
      expect.stringMatching(
        /^layouts\/entry\.html:1:3: "name" is not among .*; there are: label, href, current, open/,
      ),
    ]);
  });

  it("is told in a layout that no page uses", async () => {
    workshop.write("site/layouts/spare.html", "{{{content}}}{{nmae}}");
    expect(await workshop.faults()).toEqual([expect.stringMatching(/^layouts\/spare\.html:1:16: "nmae"/)]);
  });

  it.each([
    ["account/login.html", "{{misspelt}}"],
    ["account/account.html", "{{#each lines}}{{#each details}}{{amuont}}{{/each}}{{/each}}"],
    ["mail/confirm.txt", "{{confirmURL}}"],
  ])("is told in %s, before a customer meets it", async (file, text) => {
    workshop.write(`package/layouts/${file}`, "x");
    workshop.write(`site/layouts/${file}`, text);
    expect(await workshop.faults()).toEqual([expect.stringContaining(`layouts/${file}:1:`)]);
  });
});

describe("the package's own templates", () => {
  it("name nothing that they are not given", async () => {
    expect(await loadBaked(projectFolder)).toMatchObject({ ok: true });
  });

  it("are given by the account programs what is said here, no more and no less", async () => {
    const visitor = await makeVisitor();
    try {
      await visitor.get("signup");
      await visitor.post("signup", { email: "mira@example.com", password: "four words are enough" });
      await visitor.become("ada@example.com");
      await visitor.post("signup", { email: "ada@example.com", password: "four words are enough" });
      await visitor.get("confirm", { token: "x" });
      const [mail] = visitor.test.raw("SELECT body FROM outbox WHERE recipient = 'mira@example.com'") as {
        body: string;
      }[];
      await visitor.get("confirm", { token: /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "" });
      for (const name of ["login", "logout", "pay", "account", "history"]) await visitor.get(name);
      makeSearchIndex({ file: join(visitor.test.folder, "pages.sqlite") }, [found]);
      await visitor.get("search", { q: "found" });
      expect(visitor.given.get("account/search")).toMatchObject({
        results: [{ path: "/", title: [{ text: "Found", marked: true }], snippet: [{}] }],
      });
      await visitor.get("login", { x: "1" });
      const started = await visitor.post("pay", { amount: "10" });
      const { order, event } = await visitor.payAtStripe(started.headers.get("Location") ?? "");
      await visitor.get("pay", { order: "none" });
      await visitor.tellWebhook(event);
      await visitor.get("pay", { order });
      await visitor.get("payments");
      await visitor.get("receipt", { order });
      await visitor.post("receipt", { order, buyer: "Ada" });
      await visitor.get("receipt", { order });
      await visitor.post("pay", { amount: "11" });
      const [unpaid] = visitor.test.raw("SELECT id FROM payment_order ORDER BY created_at, rowid DESC") as {
        id: string;
      }[];
      await visitor.get("pay", { order: unpaid?.id ?? "" });
      // The checkout page is closed after an hour.
      visitor.test.clock.ms += 2 * 3_600_000;
      await visitor.logIn("ada@example.com");
      await visitor.get("pay", { order: unpaid?.id ?? "" });
      await visitor.get("account");
      await visitor.get("settings");
      await visitor.get("password");
      await seeFactor(visitor);
      await seePasskeys(visitor);
      await seeClosing(visitor);
      await seeRecharge(visitor);
      await visitor.get("machines");
      await visitor.post("machines", { name: "box", current: "the password of 15" });
      const { token: machineToken } = visitor.given.get("account/machines") as { token: string };
      const registered = await visitor.ask("machine", "service-token", {
        body: Buffer.from(JSON.stringify({ token: machineToken })),
      });
      await visitor.get("machines", {
        machine: (JSON.parse(registered.body) as { machine: string }).machine,
      });
      const { machine } = JSON.parse(registered.body) as { machine: string };
      await visitor.post("machines", { machine, do: "retire", current: "the password of 15" });
      await visitor.get("machines", { machine: "none" });
      await visitor.get("tokens");
      await visitor.post("tokens", { name: "graph", current: "the password of 15" });
      await visitor.get("sessions");
      await seeAddressChange(visitor);
      await visitor.get("warnings");
      await visitor.post("warnings", { second: "office@example.com" });
      const [proposed] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'second/%'") as {
        body: string;
      }[];
      const secondToken = /token=([\w-]+)/.exec(proposed?.body ?? "")?.[1] ?? "";
      for (const look of [0, 1]) {
        await visitor.get("second", { token: secondToken });
        if (look === 0) await visitor.post("second", { token: secondToken });
      }
      await visitor.get("reset");
      await visitor.post("reset", { email: "ada@example.com" });
      const [link] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'reset/%'") as {
        body: string;
      }[];
      const resetToken = /token=([\w-]+)/.exec(link?.body ?? "")?.[1] ?? "";
      await visitor.get("reset", { token: resetToken });
      await visitor.post("reset", { token: resetToken, password: "five words are enough too" });
      await visitor.get("reset", { token: resetToken });
      const names = Object.keys(templateShapes).filter(
        (name) => !/^mail\/(low|overdrawn|countdown|due|report|recharged|recharge-failed)$/.test(name),
      );
      for (const name of names) {
        const data = visitor.given.get(name);
        expect([name, Object.keys(data ?? {}).sort()]).toEqual([
          name,
          Object.keys(templateShapes[name] ?? {}).sort(),
        ]);
      }
    } finally {
      await visitor.end();
    }
  });
});

/** A change of address, confirmed, and undone; afterwards the account is logged in with its first address. */
async function seeAddressChange(visitor: Visitor): Promise<void> {
  const wish = { current: "the password of 15", email: "ada@example.net" };
  await visitor.get("address");
  await visitor.again().then((other) => other.become("bob@example.com"));
  await visitor.post("address", { ...wish, email: "bob@example.com" });
  await visitor.post("address", wish);
  const read = (id: string, name: string): string => {
    const rows = visitor.test.raw(
      `SELECT body FROM outbox WHERE id LIKE '${id}/%' AND body LIKE '%${name}=%'`,
    );
    return new RegExp(`${name}=([\\w-]+)`).exec((rows.at(-1) as { body: string }).body)?.[1] ?? "";
  };
  const token = read("address", "token");
  await visitor.get("address", { token });
  await visitor.post("address", { token });
  await visitor.get("address", { token });
  const undo = read("address-moved", "undo");
  await visitor.get("address", { undo });
  await visitor.post("address", { undo });
  visitor.moveTo("198.51.100.7");
  await visitor.get("login");
  await visitor.post("login", { email: "ada@example.com", password: wish.current });
}

/** A second factor turned on, a login without its code, and the factor turned off again. */
async function seeFactor(visitor: Visitor): Promise<void> {
  const [email, current] = ["ada@example.com", "the password of 15"];
  await visitor.get("factor");
  await visitor.post("factor", { do: "begin", current });
  const { secret } = visitor.given.get("account/factor-new") as { secret: string };
  const code = (): string => {
    visitor.test.clock.ms += 60_000;
    return new TOTP({ secret: secret.replaceAll(" ", "") }).generate({ timestamp: visitor.test.clock.ms });
  };
  await visitor.post("factor", { do: "confirm", code: code() });
  await visitor.post("login", { email, password: current });
  const { codes } = visitor.given.get("account/factor-codes") as { codes: string[] };
  await visitor.post("login", { email, password: current, code: codes[0] ?? "" });
  await visitor.get("factor");
  await visitor.post("factor", { do: "off", current, code: code() });
}

/** A passkey that is made, shown, refused at a login, and removed. */
async function seePasskeys(visitor: Visitor): Promise<void> {
  const current = "the password of 15";
  await addPasskey(visitor, { name: "telephone", current });
  await visitor.get("passkey", { back: "tokens" });
  const { codes } = visitor.given.get("account/factor-codes") as { codes: string[] };
  const [{ id } = { id: "" }] = visitor.test.raw("SELECT id FROM passkey") as { id: string }[];
  await visitor.get("passkey", { passkey: id });
  await visitor.post("passkey", { do: "remove", passkey: id, current, code: codes[0] ?? "" });
  await visitor.post("passkey", { do: "in", answer: "" });
}

/** An automatic recharge that is agreed to, and turned off. */
async function seeRecharge(visitor: Visitor): Promise<void> {
  const wish = { below: "5", amount: "20", cap: "50", current: "the password of 15" };
  const started = await visitor.post("recharge", { ...wish, do: "card" });
  const back = await visitor.pressAtStripe(started.headers.get("Location") ?? "", "save-good");
  await visitor.get("recharge", Object.fromEntries(back.searchParams));
  await visitor.get("recharge");
  await visitor.post("recharge", { do: "off" });
}

/** An account closed, and opened again. */
async function seeClosing(visitor: Visitor): Promise<void> {
  await visitor.get("close");
  await visitor.post("close", { current: "the password of 15", money: "leave", sure: "yes" });
  const [mail] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'closing/%'") as { body: string }[];
  const token = /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "";
  await visitor.get("close", { token });
  await visitor.post("close", { token });
  await visitor.get("close", { token });
  await visitor.logIn("ada@example.com");
}
