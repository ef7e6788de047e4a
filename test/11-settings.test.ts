// Goal of this test: etc/site.yaml is read with its defaults, and every mistake in it is told with its line and
// key.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBaked } from "../build/build.ts";
import type { Settings } from "../lib/util/settings.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

async function settingsOf(site: string): Promise<Settings> {
  workshop.write("site/etc/site.yaml", site);
  const loaded = await loadBaked(workshop.source, workshop.home);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.baked.settings;
}

const required = "name: A\nurl: https://a.example\n";

describe("etc/site.yaml", () => {
  it("needs a name and a url; the rest has defaults", async () => {
    expect(await settingsOf(required)).toEqual({
      name: "A",
      tagline: "",
      url: "https://a.example",
      search: false,
      mail: {
        from: "A <accounts@a.example>",
        transport: "folder",
        sendmail: "/usr/sbin/sendmail",
        smtpHost: "",
        smtpPort: 587,
        smtpUser: "",
        smtpTls: "starttls",
      },
      store: "sqlite",
      topUpMinimum: 5,
      topUpMaximum: 1000,
      warnDays: 7,
      hasTax: false,
      countdownDays: 7,
      seller: { name: "", address: [], taxId: "" },
      terms: { version: "", page: "" },
      backup: { seal: "none", recipient: "", copy: [], keep: { days: 14, weeks: 8, months: 12 } },
      reportTo: "",
      heartbeat: "",
      meters: [
        {
          name: "storage",
          label: "Storage",
          per: "byte-month",
          prices: [
            { fromDay: "2026-01-01", picodollars: "250" },
            { fromDay: "2026-07-01", picodollars: "240" },
          ],
        },
        {
          name: "upload",
          label: "Upload",
          per: "byte",
          prices: [{ fromDay: "2026-01-01", picodollars: "0" }],
        },
      ],
    });
  });

  it("gives every value back as it was written", async () => {
    const settings = await settingsOf(`${required}tagline: 1.10
search: yes
store: postgres://site@/books?host=/run/postgresql
mail: {from: "B <b@a.example>", transport: smtp, smtp: {host: mx.a.example, port: 465, user: u, tls: tls}}
payments: {minimum: 10, maximum: 20, tax: yes}
warnings: {days: 3, countdown: 30}
seller:
  name: A Ltd
  address: [1 Street, Town]
  tax_id: XX 1
terms:
  version: 2026-11-01
  page: /terms.html
night: {report: o@a.example, heartbeat: "https://w.example/ping"}
`);
    expect(settings).toMatchObject({
      tagline: "1.10",
      search: true,
      store: "postgres://site@/books?host=/run/postgresql",
      mail: {
        from: "B <b@a.example>",
        transport: "smtp",
        smtpHost: "mx.a.example",
        smtpPort: 465,
        smtpUser: "u",
        smtpTls: "tls",
      },
      topUpMinimum: 10,
      topUpMaximum: 20,
      hasTax: true,
      warnDays: 3,
      countdownDays: 30,
      seller: { name: "A Ltd", address: ["1 Street", "Town"], taxId: "XX 1" },
      terms: { version: "2026-11-01", page: "/terms.html" },
      reportTo: "o@a.example",
      heartbeat: "https://w.example/ping",
    });
  });

  it.each([
    ["A, Inc.", "https://a.example", '"A, Inc." <accounts@a.example>'],
    ["A", "http://127.0.0.1:8080", "A <accounts@localhost>"],
  ])("sends mail of %s at %s from %s", async (name, url, from) => {
    expect((await settingsOf(`name: ${name}\nurl: ${url}\n`)).mail.from).toBe(from);
  });

  it("may have groups in which all is commented out", async () => {
    const settings = await settingsOf(`${required}mail:\n  # from: x\npayments:\ntagline: ""\n`);
    expect(settings).toMatchObject({ tagline: "", topUpMinimum: 5, mail: { transport: "folder" } });
  });

  it.each([
    [
      "",
      [
        'etc/site.yaml:1:1: "name" is missing; it must be one line of text',
        'etc/site.yaml:1:1: "url" is missing; it must be one line of text',
      ],
    ],
    [
      "nmae: A\nurl: https://a.example\n",
      [
        'etc/site.yaml:1:1: "name" is missing; it must be one line of text',
        'etc/site.yaml:1:1: unknown key "nmae"; did you mean "name"?',
      ],
    ],
    [
      `${required}colour: red\n`,
      [
        'etc/site.yaml:3:1: unknown key "colour"; known are name, tagline, url, search, assets, compress, mail, store, payments, seller, terms, warnings, night, backup',
      ],
    ],
    [
      `${required}backup: { seal: age }\n`,
      ['etc/site.yaml:3:9: "backup" wants both "seal" (age or gpg) and "recipient", or neither'],
    ],
    [
      `${required}backup: { seal: zip, recipient: -x, copy: rsync here }\n`,
      [
        'etc/site.yaml:3:11: "backup.seal" is "zip"; it must be one of none, age, gpg',
        'etc/site.yaml:3:22: "backup" wants both "seal" (age or gpg) and "recipient", or neither',
        'etc/site.yaml:3:22: "backup.recipient" must be the name of a key',
        'etc/site.yaml:3:37: "backup.copy" must say {file}, where the file\'s path goes',
      ],
    ],
    [`${required}search: true\n`, ['etc/site.yaml:3:1: "search" is "true"; it must be one of yes, no']],
    [
      `${required}mail:\n  tranport: smtp\n`,
      ['etc/site.yaml:4:3: unknown key "mail.tranport"; did you mean "transport"?'],
    ],
    [
      `${required}mail:\n  transport: pigeon\n`,
      ['etc/site.yaml:4:3: "mail.transport" is "pigeon"; it must be one of folder, sendmail, smtp'],
    ],
    [
      `${required}mail:\n  transport: smtp\n`,
      ['etc/site.yaml:4:3: "mail.smtp.host" is missing; it must be one line of text'],
    ],
    [
      `${required}mail:\n  smtp:\n    prot: 1\n    port: many\n`,
      [
        'etc/site.yaml:5:5: unknown key "mail.smtp.prot"; did you mean "port"?',
        'etc/site.yaml:6:5: "mail.smtp.port" is "many"; it must be a whole number from 1 to 65535',
      ],
    ],
    [
      `${required}mail: {from: nobody}\n`,
      ['etc/site.yaml:3:8: "mail.from" is "nobody"; it must be an address, or Name <address>'],
    ],
    [
      `${required}mail: {from: "A, B <a@a.example>"}\n`,
      ['etc/site.yaml:3:8: "mail.from" is "A, B <a@a.example>"; it must be an address, or Name <address>'],
    ],
    [
      `${required}mail: {sendmail: bin/sendmail}\n`,
      ['etc/site.yaml:3:8: "mail.sendmail" must be an absolute path'],
    ],
    [
      `${required}store: mysql://a\n`,
      ['etc/site.yaml:3:1: "store" is "mysql://a"; it must be sqlite, or postgres://USER@HOST:PORT/DATABASE'],
    ],
    [
      `${required}store: postgres://site:hunter2@/books\n`,
      [
        'etc/site.yaml:3:1: "store" is "postgres://site:...@/books"; it must not hold a password; put it into the secrets file as store_password',
      ],
    ],
    [
      `${required}store: postgres://site@db.example/books\n`,
      [
        'etc/site.yaml:3:1: "store" is "postgres://site@db.example/books"; db.example is another machine, and the books would go there for everybody on the way to read; say ?sslmode=verify-full, or go through a UNIX socket or spiped',
      ],
    ],
    [`${required}mail: smtp\n`, ['etc/site.yaml:3:1: "mail" must hold keys of its own']],
    [
      "name: [A]\nurl: https://a.example\n",
      ['etc/site.yaml:1:1: "name" is a group; it must be one line of text'],
    ],
    [
      'name: "A\\nBcc: b@b.example"\nurl: https://a.example\n',
      ['etc/site.yaml:1:1: "name" is "A\\nBcc: b@b.example"; it must be one line of text'],
    ],
    ["name:\nurl: https://a.example\n", ['etc/site.yaml:1:1: "name" is empty; it must be one line of text']],
    [
      `${required}payments: {minimum: 0.5}\n`,
      ['etc/site.yaml:3:12: "payments.minimum" is "0.5"; it must be a whole number from 1 to 100000'],
    ],
    [
      `${required}payments: {minimum: 50, maximum: 20}\n`,
      ['etc/site.yaml:3:1: "payments.minimum" is more than "payments.maximum"'],
    ],
    [
      `${required}warnings: {days: 0}\n`,
      ['etc/site.yaml:3:12: "warnings.days" is "0"; it must be a whole number from 1 to 365'],
    ],
    [`${required}terms: {version: "1"}\n`, ['etc/site.yaml:3:1: "terms" wants both "version" and "page"']],
    [
      `${required}terms: {version: "1", page: "https://evil.example/"}\n`,
      ['etc/site.yaml:3:1: "terms.page" is "https://evil.example/"; it must be a path such as /terms.html'],
    ],
    [`${required}seller: {address: a}\n`, ['etc/site.yaml:3:10: "seller.address" must be a list of words']],
    [
      `${required}night: {report: "a", heartbeat: "ftp://a.example/"}\n`,
      [
        'etc/site.yaml:3:9: "night.report" is "a"; it must be an address',
        'etc/site.yaml:3:22: "night.heartbeat" is "ftp://a.example/"; it must be an http or https address',
      ],
    ],
    [`${required}name: B\n`, ['etc/site.yaml:3:1: the key "name" is given twice; keep one']],
    [
      `${required}tagline: a: b\n`,
      ["etc/site.yaml:3:10: this is not valid YAML: Nested mappings are not allowed in compact mappings"],
    ],
    [
      `${required}tagline: &t a\nmail: *t\n`,
      ["etc/site.yaml:4:7: anchors and aliases are not used here; write the value itself"],
    ],
    [
      "- name\n",
      [
        'etc/site.yaml:1:1: "key: value" lines are wanted here: name, tagline, url, search, assets, compress, mail, store, payments, seller, terms, warnings, night, backup',
      ],
    ],
  ] as const)("refuses %j", async (text, faults) => {
    workshop.write("site/etc/site.yaml", text);
    expect(await workshop.faults()).toEqual(faults);
  });

  it.each([
    "https://a.example/",
    "https://a.example/shop",
    "https://a.example?x",
    "https://A.example",
    "https://a.example:443",
    "https://a b.example",
    "https://u:p@a.example",
    "http://a.example",
    "http://127.0.0.1:8080/",
    "http://localhost.a.example",
    "ftp://a.example",
    "a.example",
  ])("refuses the url %s", async (url) => {
    workshop.write("site/etc/site.yaml", `name: A\nurl: ${url}\n`);
    expect(await workshop.faults()).toEqual([
      `etc/site.yaml:2:1: "url" is "${url}"; it must be https://HOST without a path or a slash at its end (http for 127.0.0.1 only)`,
    ]);
  });

  it("is told to be missing, and the package's is no substitute", async () => {
    workshop.write("package/etc/site.yaml", required);
    workshop.remove("site/etc");
    expect(await workshop.faults()).toEqual([
      "etc/prices.yaml: not found; `site init` makes one",
      "etc/site.yaml: not found; `site init` makes one",
    ]);
  });

  it("must be UTF-8", async () => {
    workshop.write(
      "site/etc/site.yaml",
      Buffer.from("name: A\nurl: https://a.example\ntagline: caf\xe9\n", "latin1"),
    );
    expect(await workshop.faults()).toEqual([
      "etc/site.yaml:3: this line is not UTF-8 text; save the file as UTF-8",
    ]);
  });
});
