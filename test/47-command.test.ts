// Goal of this test: `site check` as people and scripts run it, the compiled command in a process of its own: what it
// prints and where, its JSON, its colours, its exit codes, and that a second run says the same. What etc/check.yaml can
// change is in 47-levels.test.ts, what each rule finds in 47-check.test.ts, what other hosts answer in 47-external.test.ts.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Checking, linked, openChecking, readTold, warned } from "./support/checking.ts";

const hasTerminal = existsSync("/usr/bin/script");

let folder: string;
let checking: Checking;
let site: string;
beforeEach(() => {
  checking = openChecking();
  ({ folder, site } = checking);
});
afterEach(() => checking.remove());

const write: Checking["write"] = (path, text) => checking.write(path, text);
const check: Checking["check"] = (...how) => checking.check(...how);
const checkOnTerminal: Checking["checkOnTerminal"] = (...how) => checking.checkOnTerminal(...how);

const refused = () =>
  write("content/x.html", `${linked}<p><img src="/style.css"></p>\n<a href="/gone">g</a><h1>Y</h1>\n`);

describe("site check", () => {
  it("says on one line that all is well", async () => {
    expect(await check()).toEqual({ code: 0, out: "no faults in 8 pages (8 validated anew)\n", err: "" });
    expect(await check()).toEqual({ code: 0, out: "no faults in 8 pages (0 validated anew)\n", err: "" });
    expect(readdirSync(join(site, "dist"))).toEqual([".cache"]);
  });

  it("tells each fault with its line, its mark, and its rule, and counts them", async () => {
    refused();
    const said = await check();
    expect([said.code, said.out]).toEqual([1, ""]);
    expect(said.err).toBe(
      [
        'content/x.html:6:4: <img> has no alt; write what the picture says, or alt="" if it only decorates [missing-alt]',
        '  6 | <p><img src="/style.css"></p>',
        "    |    ^",
        'content/x.html:7:10: link "/gone": there is no page and no file /gone',
        '  7 | <a href="/gone">g</a><h1>Y</h1>',
        "    |          ^",
        "content/x.html:7:22: warning: this is another <h1>; a page has one, for its title [single-h1]",
        '  7 | <a href="/gone">g</a><h1>Y</h1>',
        "    |                      ^",
        "2 faults, 1 warning in 9 pages (9 validated anew)",
        "",
      ].join("\n"),
    );
  });

  it("ends with 0 where there are warnings only", async () => {
    write("content/x.html", warned);
    const said = await check();
    expect([said.code, said.out]).toEqual([0, ""]);
    expect(said.err).toContain("content/x.html:6:1: warning: this is another <h1>;");
    expect(said.err).toMatch(/\n1 warning in 9 pages \(9 validated anew\)\n$/);
  });

  it("prints JSON of the form that INTERFACES.md names, and nothing else", async () => {
    refused();
    write("content/y.html", "<h1>Y</h1>\n");
    const said = await check(["--json"]);
    expect([said.code, said.err, said.out.split("\n").length]).toEqual([1, "", 2]);
    const line = readFileSync(new URL("../INTERFACES.md", import.meta.url), "utf8")
      .split("\n")
      .find((text) => text.startsWith("`site check --json`"));
    expect(line).toContain(
      '{"ok","pages","validated","external":{"links","asked"},"faults":[{"file","line","column","message","rule","level"}]}',
    );
    expect(JSON.parse(said.out)).toEqual({
      ok: false,
      pages: 10,
      validated: 10,
      faults: [
        {
          file: "content/x.html",
          line: 6,
          column: 4,
          message: expect.stringMatching(/^<img> has no alt;/),
          rule: "missing-alt",
          level: "error",
        },
        {
          file: "content/x.html",
          line: 7,
          column: 10,
          message: 'link "/gone": there is no page and no file /gone',
          rule: "build",
          level: "error",
        },
        {
          file: "content/x.html",
          line: 7,
          column: 22,
          message: "this is another <h1>; a page has one, for its title",
          rule: "single-h1",
          level: "warn",
        },
        {
          file: "content/y.html",
          line: 0,
          message: "no other page leads here, nor does the navigation; link to it, or delete it",
          rule: "orphan-page",
          level: "error",
        },
      ],
    });
    expect(readTold(await check(["--json"]))).toEqual({ ...readTold(said), validated: 0 });
  });

  it("keeps what it knows by the text: where a file lies and when it was written is all the same", async () => {
    refused();
    const first = await check();
    write("content/x.html", readFileSync(join(site, "content/x.html"), "utf8"));
    const again = first.err.replace("9 validated anew", "0 validated anew");
    expect(await check()).toEqual({ ...first, err: again });
    write("content/x.html", `${linked}<p>A</p>\n`);
    expect((await check()).out).toBe("no faults in 9 pages (1 validated anew)\n");
    // Damaged, it is as good as none; and it may lie elsewhere.
    writeFileSync(join(site, "dist/.cache/check.json"), "{");
    expect((await check()).out).toBe("no faults in 9 pages (9 validated anew)\n");
    expect((await check(["--out", "elsewhere"])).out).toBe("no faults in 9 pages (9 validated anew)\n");
    expect(readdirSync(join(folder, "elsewhere"))).toEqual([".cache"]);
  });

  it.each([
    [
      "a misspelt option",
      ["--srouce", "x"],
      /^error: unknown option '--srouce'\n\(Did you mean --source\?\)\n/,
    ],
    [
      "a word too many",
      ["site"],
      /^error: too many arguments for 'check'. Expected 0 arguments but got 1.\n/,
    ],
    ["an option without its folder", ["--out"], /^error: option '--out <folder>' argument missing\n/],
  ])("refuses %s as wrong usage", async (_what, words, message) => {
    const said = await check(words);
    expect([said.code, said.out]).toEqual([64, ""]);
    expect(said.err).toMatch(message);
  });

  it("refuses a folder that is no site, or is not there, and makes nothing in it", async () => {
    mkdirSync(join(folder, "empty"));
    for (const name of ["nowhere", "empty"])
      expect(await check(["--source", name])).toEqual({
        code: 1,
        out: "",
        err: [
          "content: not found; the pages of a site lie in this folder, and `site init` makes one",
          "etc/prices.yaml: not found; `site init` makes one",
          "etc/site.yaml: not found; `site init` makes one",
          "3 faults in 0 pages (0 validated anew)",
          "",
        ].join("\n"),
      });
    expect([existsSync(join(folder, "nowhere")), readdirSync(join(folder, "empty"))]).toEqual([false, []]);
  });

  it("keeps nothing in a folder that a build would not take", async () => {
    mkdirSync(join(folder, "own"));
    writeFileSync(join(folder, "own/note.txt"), "mine");
    const said = await check(["--out", "own"]);
    expect([said.code, readdirSync(join(folder, "own"))]).toEqual([1, ["note.txt"]]);
    expect(said.err).toContain("own");
  });

  it("that cannot keep what it knows says what a person must do", async () => {
    mkdirSync(join(site, "dist"));
    writeFileSync(join(site, "dist/.cache"), "in the way");
    const said = await check();
    expect([said.code, said.out]).toEqual([100, ""]);
    expect(said.err).toMatch(
      /^site: \S+\/dist\/\.cache\/check\.json: cannot be written; see to its permissions and the space on its disk\n {2}because: [^\n]+\n$/,
    );
  });
});

describe("colours", () => {
  const introducer = "\u001b[";
  it("are none in a pipe, whatever the environment asks for", async () => {
    refused();
    for (const environment of [{}, { NO_COLOR: "1" }, { FORCE_COLOR: "1", TERM: "xterm-256color" }])
      expect((await check([], environment)).err).not.toContain(introducer);
    expect((await check(["--json"], { FORCE_COLOR: "1" })).out).not.toContain(introducer);
  });

  it.skipIf(!hasTerminal)("stand on a terminal around the message, and the word of a warning", async () => {
    refused();
    const { code, out } = await checkOnTerminal();
    expect(code).toBe(1);
    expect(out).toContain(
      'content/x.html:7:10: \u001b[31mlink "/gone": there is no page and no file /gone\u001b[0m\r\n',
    );
    expect(out).toContain("content/x.html:7:22: \u001b[33mwarning:\u001b[0m this is another <h1>;");
  });

  it.skipIf(!hasTerminal)("are left away on a terminal that wants none", async () => {
    refused();
    for (const environment of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      const { code, out } = await checkOnTerminal(environment);
      expect([code, out.includes('content/x.html:7:10: link "/gone"')]).toEqual([1, true]);
      // What is left is the line of progress, which is cleared.
      expect(out).not.toContain(`${introducer}3`);
    }
  });
});
