// Goal of this test: what stands in layouts/data/ is what layouts show, byte for byte; every fault in it is told with
// its place, all in one run; a misspelt name of data is found; and no file, however odd, stops or ends the build.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCsv } from "../build/csv.ts";
import { readData } from "../build/data.ts";
import { readJson } from "../build/json.ts";
import { readPlainYaml } from "../build/yamldata.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const data = (name: string, content: string | Uint8Array): void =>
  workshop.write(`site/layouts/data/${name}`, content);
const plan = (text: string): void => {
  workshop.write("site/layouts/plan.html", `${text}\n{{{content}}}`);
  workshop.write("site/content/plan.html", "---\nlayout: plan\ntitle: Plan\n---\n<p>Body</p>\n");
};

describe("data", () => {
  it("of every kind is shown by a layout and its partials, and not published", async () => {
    data("prices.yaml", "- {month: 1.5, name: 'A & B'}\n- month: \"1.50\"\n  name: '<Ü>'\n  note: yes\n");
    data("open.json", '{"from": 9, "days": ["Mo", "Tu"], "closed": false, "tax": 0.19, "none": null}');
    data("team/staff.csv", 'name,room\r\n"Tall, ""T""",1.10\r\nShort,\r\n');
    workshop.write(
      "site/layouts/hours.html",
      "{{data.open.from}}-{{#each data.open.days}}{{this}};{{/each}}",
    );
    plan(
      [
        "{{#each data.prices}}{{name}}={{month}}{{#if note}}!{{note}}{{/if}};{{/each}}",
        "{{> hours}}{{#if data.open.closed}}closed{{else}}open{{/if}} {{data.open.tax}}[{{data.open.none}}]",
        "{{#each data.team.staff as |one|}}{{one.name}} in {{{one.room}}};{{/each}}{{data.prices.[1].month}}",
      ].join("\n"),
    );
    await workshop.built();
    expect(workshop.read("www/plan.html")).toBe(
      [
        "A &amp; B=1.5;&lt;Ü&gt;=1.50!yes;",
        "9-Mo;Tu;open 0.19[]",
        "Tall, &quot;T&quot; in 1.10;Short in ;1.50",
        "<p>Body</p>\n",
      ].join("\n"),
    );
    const published = Object.keys(readTree(join(workshop.out, "current")));
    expect(published.filter((name) => /^www\/.*(prices|open|staff|data)/.test(name))).toEqual([]);
  });

  it("changes the pages that show it when it changes", async () => {
    data("x.yaml", "word: one\n");
    plan("{{data.x.word}}");
    await workshop.built();
    expect(workshop.read("www/plan.html")).toContain("one");
    data("x.yaml", "word: two\n");
    expect((await workshop.built()).changed).toBe(true);
    expect(workshop.read("www/plan.html")).toContain("two");
  });

  it("is shown by every page of a kind, whichever way it is put together", async () => {
    data("x.json", '["a", "b"]');
    for (const list of ["{{#each data.x}}{{this}}{{/each}}", "{{data.x.length}}{{lookup data.x 1}}"]) {
      workshop.write("site/layouts/plan.html", `${list}|{{page.title}}|{{{content}}}`);
      for (const title of ["One", "Two", "Three"])
        workshop.write(
          `site/content/${title}.html`,
          `---\nlayout: plan\ntitle: ${title}\n---\n<p>${title}</p>`,
        );
      await workshop.built();
      const first = list.includes("length") ? "2b" : "ab";
      for (const title of ["One", "Two", "Three"])
        expect(workshop.read(`www/${title}.html`)).toBe(`${first}|${title}|<p>${title}</p>`);
    }
  });

  it("may be left out of an item of a list, which has nothing there", async () => {
    data("x.yaml", "- name: A\n  more: {link: /faq.html}\n- name: B\n- name: C\n  more:\n");
    plan("{{#each data.x}}{{name}}{{#if more}}({{more.link}}){{/if}}{{/each}}");
    await workshop.built();
    expect(workshop.read("www/plan.html")).toMatch(/^A\(\/faq.html\)BC\n/);
  });

  it("need not be there, and hidden files and leftovers are none", async () => {
    expect(readData(workshop.source)).toEqual({ data: {}, shape: {}, files: [], faults: [] });
    data(".x.yaml.swp", "\0");
    data("x.yaml~", ": :");
    expect(readData(workshop.source).faults).toEqual([]);
    expect(readData(join(workshop.folder, "nowhere")).faults).toEqual([]);
  });
});

describe("a misspelt name of data", () => {
  const given = "is not among what is given here";
  it.each([
    ["of a file", "{{data.pricse.month}}", `1:3: "pricse" ${given}; did you mean "prices"?`],
    ["of a part", "x\n {{data.prices.monht}}", `2:4: "monht" ${given}; did you mean "month"?`],
    ["in a list", "{{#each data.rows}}{{nmae}}{{/each}}", `1:22: "nmae" ${given}; did you mean "name"?`],
    ["of a text's part", "{{data.prices.month.cent}}", `1:3: "cent" ${given}`],
  ])("%s is told with its line", async (_what, text, wanted) => {
    data("prices.yaml", "month: 3\nyear: 30\n");
    data("rows.csv", "name,room\nA,1\n");
    plan(text);
    expect(await workshop.faults()).toEqual([`layouts/plan.html:${wanted}`]);
  });

  it("is told in a partial", async () => {
    data("prices.yaml", "month: 3\n");
    workshop.write("site/layouts/hours.html", "{{data.prices.monht}}");
    plan("{{> hours}}");
    expect(await workshop.faults()).toEqual([expect.stringMatching(/^layouts\/hours.html:1:3: "monht"/)]);
  });

  it("that is empty or differs may be asked for, and is told where a page stumbles over it", async () => {
    data("x.yaml", "none: []\nnull:\nmixed: [a, {b: 1}]\n");
    plan(
      "{{#each data.x.none}}{{anything}}{{/each}}{{#each data.x.mixed}}{{#if @first}}{{else}}{{b}}{{/if}}{{/each}}",
    );
    expect(await workshop.faults()).toEqual([]);
    plan("{{data.x.null.part}}");
    expect(await workshop.faults()).toEqual([`layouts/plan.html:1:3: "part" ${given}`]);
  });

  it("is any name in the layout of the account pages, in its partials, and in the account's own", async () => {
    data("x.yaml", "a: 1\n");
    workshop.write("site/layouts/page.html", "{{> hours}}{{{content}}}");
    workshop.write("site/layouts/hours.html", "{{data.x.a}}");
    expect(await workshop.faults()).toEqual([
      `layouts/hours.html:1:3: "data" ${given}: account pages wear the layout "page" too, and programs get no data; show it in another layout`,
    ]);
    workshop.remove("site/layouts/page.html");
    workshop.write("package/layouts/account/login.html", "{{data.x.a}}");
    expect(await workshop.faults()).toEqual([expect.stringContaining('account/login.html:1:3: "data"')]);
  });
});

describe("a fault in data", () => {
  it("is told with its place, with all others in one run, and templates are not blamed for it", async () => {
    data("a.yaml", "- a: 1\n  b: 2\n  a: 3\n- &x b\n- *x\n- !!str c\n- 1.10\n- __proto__: 1\n");
    data("b.json", '{"a": 1,\n "a": 2, "constructor": 3,\n "b": 12345678901234567890, "c": "\\u0001", }');
    data("c.csv", 'a,b,a,1st,toString\n1,2\n"x\r\ny",2,3,4,5,6\n,,,,\u0002\n1,"x"y\n');
    data("d.yaml", Buffer.from("a: b\nc: \xff\n", "latin1"));
    data("e.json", "[\n\0]");
    data("f.csv", "a;b\n1;2\n");
    data("g.yaml", "a: [1\nb: }\n");
    data("h.yaml", "# nothing\n");
    data("big.csv", `a\n${"x\n".repeat(600_000)}`);
    data("b-2.xml", "<a/>");
    data("constructor.json", "1");
    data("2.json", "1");
    data("two.csv", "a\n");
    data("two.json", "1");
    data("in/deep/x.json", "1");
    plan("{{data.a.[0].x}}{{data.big.x}}{{data.two.y}}{{nmae}}");
    const faults = await workshop.faults();
    const wanted = [
      '2.json: rename this: templates know it by its name, which is made of letters, digits, "-", and "_", a letter first',
      'a.yaml:3:3: the key "a" is given twice; keep one',
      "a.yaml:4:6: anchors and aliases are not used here; write the value itself",
      "a.yaml:5:3: anchors and aliases are not used here; write the value itself",
      "a.yaml:6:9: tags (! and a word) are not used here; write the value itself",
      "a.yaml:7:3: 1.10 would be shown as 1.1; put it in quotes to keep it as it is",
      'a.yaml:8:3: "__proto__" cannot be a name of data; choose another one',
      "b-2.xml: data is written as .yaml, .json, or .csv, in small letters; rename or delete this",
      'b.json:2:2: the name "a" is given twice; keep one',
      'b.json:2:10: "constructor" cannot be a name of data; choose another one',
      "b.json:3:7: 12345678901234567890 has more digits than a number keeps; put it in quotes",
      "b.json:3:34: the character U+0001 stands in this text, which no page can have; delete it",
      'b.json:3:44: this is not valid JSON: "}" stands here, where a name in double quotes is wanted',
      "big.csv: is larger than 1024 KiB; keep what pages show, or part it into several",
      'c.csv:1:5: another column is named "a" too; rename one',
      'c.csv:1:7: this column is named "1st"; for templates, use letters, digits, "-", and "_", a letter first',
      'c.csv:1:11: "toString" cannot be a name of data; choose another one',
      'c.csv:2:1: this row has 2 values, and there are 5 columns; put a value with "," in it in quotes',
      'c.csv:4:12: this row has 6 values, and there are 5 columns; put a value with "," in it in quotes',
      "c.csv:5:5: the character U+0002 stands in this text, which no page can have; delete it",
      'c.csv:6:3: something stands behind the closing quote of this value; write "" for a quote in it',
      'constructor.json: "constructor" cannot be a name of data; choose another one',
      "d.yaml:2: this line is not UTF-8 text; save the file as UTF-8",
      "e.json:2: this line is not UTF-8 text; save the file as UTF-8",
      'f.csv:1: the columns are parted by ";"; export the table with "," between',
      expect.stringMatching(/^g.yaml:2:\d+: this is not valid YAML: /),
      "h.yaml: holds nothing; write a list or a group into it",
      "in/deep: data lies one folder deep at most; move this up",
      "two.json: makes data.two, and so does layouts/data/two.csv; rename or delete one",
    ];
    const told = faults.filter((fault) => !fault.startsWith("layouts/plan.html"));
    const first = (text: string): string => text.replace("layouts/data/", "");
    expect(new Set(told.map(first).filter((fault) => !/^g.yaml/.test(fault)))).toEqual(
      new Set(wanted.filter((fault) => typeof fault === "string")),
    );
    expect(told.map(first).filter((fault) => /^g.yaml/.test(fault))).toContainEqual(wanted.at(-4));
    expect(faults.filter((fault) => fault.startsWith("layouts/plan.html"))).toEqual([
      expect.stringMatching(/^layouts\/plan.html:1:\d+: "nmae"/),
    ]);
  });

  it("is a link that leads out of layouts/, nowhere, or to itself; also that of the folder", async () => {
    workshop.write("site/etc/secrets", "stripe_key = secret\n");
    data("x.yaml", "a: 1\n");
    const at = (name: string): string => join(workshop.source, "layouts", "data", name);
    symlinkSync(join(workshop.source, "etc", "secrets"), at("out.yaml"));
    symlinkSync("nothing", at("nowhere.yaml"));
    symlinkSync("self.yaml", at("self.yaml"));
    symlinkSync("x.yaml", at("fine.yaml"));
    const { data: read, faults } = readData(workshop.source);
    expect(faults.map(({ file, message }) => `${file}: ${message.split(";")[0]}`)).toEqual([
      "layouts/data/nowhere.yaml: this link leads nowhere",
      "layouts/data/out.yaml: this link leads out of layouts/",
      "layouts/data/self.yaml: this link leads nowhere",
    ]);
    expect(read).toEqual({ x: { a: 1 }, fine: { a: 1 } });
    workshop.remove("site/layouts/data");
    symlinkSync(join(workshop.source, "etc"), join(workshop.source, "layouts", "data"));
    expect(readData(workshop.source)).toMatchObject({
      data: {},
      faults: [{ file: "layouts/data", message: expect.stringContaining("out of layouts/") }],
    });
    workshop.remove("site/layouts/data");
    workshop.write("site/layouts/data", "x");
    expect(readData(workshop.source).faults).toEqual([
      { file: "layouts/data", line: 0, message: "this is a file; a folder is wanted here" },
    ]);
  });

  it("is told twenty times for one file, and the rest is counted", () => {
    data("x.csv", `a,b\n${"1\n".repeat(500)}`);
    const { faults } = readData(workshop.source);
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)?.message).toBe("has 480 more faults like those that are told");
  });
});

describe("CSV", () => {
  it.each([
    ["a\n1", [{ a: "1" }]],
    ["a,b\n\n1,2\n\n", [{ a: "1", b: "2" }]],
    ["a,b\r1,2\r", [{ a: "1", b: "2" }]],
    ['a,b\n"",\n', [{ a: "", b: "" }]],
    ['a\n""\n', [{ a: "" }]],
    ['"a","b"\n"x""y\n,z", q \n', [{ a: 'x"y\n,z', b: " q " }]],
    ["a,b\n", []],
  ])("%j is read", (text, value) => {
    expect(readCsv(text)).toEqual({ value, faults: [] });
  });

  it.each([
    ["", 1, undefined, /no first line/],
    ['a,b\n1,"x\n2,3\n', 2, 3, /never closed/],
    ['a,b\n1,x"y\n', 2, 4, /inside a value/],
    ['a\n"x\r\ny"z\n', 2, 1, /behind the closing quote/],
    ['a,b\n"\r\n\r\n",1\n2\n', 5, 1, /1 value, and there are 2/],
    ["a,\n1,2\n", 1, 3, /named ""/],
  ])("%j is refused in line %s, column %s", (text, line, column, message) => {
    const [fault] = readCsv(text).faults;
    expect([fault?.line, fault?.column]).toEqual([line, column]);
    expect(fault?.message).toMatch(message);
  });
});

describe("JSON", () => {
  it("is read and refused as by the language, but for names and numbers", () => {
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\n"',
      '"\\x"',
      "1",
      "-0.5e2",
      "01",
      "true",
      "nul",
      " ",
      '"',
    ];
    let good = 0;
    for (let round = 0; round < 40_000; round += 1) {
      const text = Array.from({ length: 1 + next(7) }, () => pieces[next(pieces.length)]).join("");
      let wanted: unknown;
      try {
        wanted = JSON.parse(text);
      } catch {
        wanted = undefined;
      }
      const { value, faults } = readJson(text);
      if (faults.some(({ message }) => /given twice|more digits/.test(message))) continue;
      expect(value, text).toEqual(wanted);
      if (value !== undefined) good += 1;
    }
    expect(good).toBeGreaterThan(2000);
  });
});

describe("a file made to stop the build", () => {
  const size = 900_000;
  const many = (make: (index: number) => string, length: number, by = ""): string =>
    Array.from({ length }, (_, index) => make(index)).join(by);
  it.each<[string, string, string]>([
    ["fields that differ in each item", "x.json", `[${many((i) => `{"k${i}":1}`, 60_000, ",")}]`],
    ["a name given often", "x.json", `{${many(() => '"a":1', 150_000, ",")}}`],
    ["brackets", "x.json", "[".repeat(size)],
    ["a long text", "x.json", `["${"\\n".repeat(size / 2)}"]`],
    ["brackets", "x.yaml", "[".repeat(size)],
    ["dashes", "x.yaml", "- ".repeat(size / 2)],
    ["names in names", "x.yaml", many((i) => `${" ".repeat(i)}a:\n`, 1200)],
    ["many names", "x.yaml", many((i) => `k${i}: 1\n`, 80_000)],
    ["aliases", "x.yaml", `a: &a x\n${many(() => "- *a\n", 100_000)}`],
    ["quotes", "x.csv", '"'.repeat(size + 1)],
    ["columns", "x.csv", many((i) => `c${i}`, 120_000, ",")],
    ["short rows", "x.csv", `a,b\n${"1\n".repeat(400_000)}`],
    ["quotes in values", "x.csv", `a\n${'x"'.repeat(size / 2)}`],
  ])(
    "by %s is answered within seconds: %s",
    (_what, name, text) => {
      data(name, text);
      const startedAt = performance.now();
      const { faults } = readData(workshop.source);
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      expect(faults.length).toBeLessThan(22);
    },
    60_000,
  );

  it("by depth is refused where no stack holds it", () => {
    mkdirSync(join(workshop.source, "layouts"), { recursive: true });
    expect(readJson("[".repeat(65) + "]".repeat(65)).faults).toEqual([]);
    for (const { faults } of [readJson("[".repeat(66)), readPlainYaml(`${"[".repeat(90)}${"]".repeat(90)}`)])
      expect(faults[0]?.message).toMatch(/too deeply/);
  });
});
