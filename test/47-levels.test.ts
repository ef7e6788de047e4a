// Goal of this test: etc/check.yaml sets each rule of `site check` to error, warn, or off, and is refused word for word
// where it is wrong. The command runs as people and scripts run it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endServer } from "../dev/listen.ts";
import { type Checking, openChecking, readTold, type Told, warned } from "./support/checking.ts";

let checking: Checking;
let site: string;
beforeEach(() => {
  checking = openChecking();
  ({ site } = checking);
});
afterEach(() => checking.remove());

const write: Checking["write"] = (path, text) => checking.write(path, text);
const check: Checking["check"] = (...how) => checking.check(...how);

describe("etc/check.yaml", () => {
  const own = [
    "invalid-html",
    "missing-alt",
    "heading-order",
    "single-h1",
    "orphan-page",
    "page-weight",
    "external-link",
    "external-moved",
    "external-unsure",
  ];
  const setAll = (level: string, more = "") =>
    write("etc/check.yaml", `rules:\n${own.map((name) => `  ${name}: ${level}\n`).join("")}${more}`);

  it("sets each rule to error, warn, or off", async () => {
    const server = createServer((request, response) => {
      const { url } = request;
      if (url === "/moved") response.writeHead(301, { Location: "/new" });
      else response.statusCode = url === "/gone" ? 404 : url === "/closed" ? 403 : 200;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    try {
      const { port } = server.address() as AddressInfo;
      // A site on loopback may ask private hosts; several, so that none has to wait.
      const links = ["127.0.0.1:PORT/gone", "127.0.0.2:PORT/moved", "127.0.0.3:PORT/closed"];
      const settings = readFileSync(join(site, "etc/site.yaml"), "utf8");
      write("etc/site.yaml", settings.replace(/^url:.*$/m, "url: http://127.0.0.1:8080"));
      write(
        "content/x.html",
        [
          "<h1>X</h1><h1>Y</h1>",
          "<h4>a</h4><p><img src='/style.css'><center>c</center></p>",
          ...links.map((link) => `<a href="http://${link.replace("PORT", String(port))}">x</a>`),
          "",
        ].join("\n"),
      );
      const rulesOf = ({ faults }: Told, level: string) =>
        faults.filter((fault) => fault.level === level).map(({ rule }) => rule);
      const found = [
        ...own.filter((rule) => rule !== "invalid-html"),
        "deprecated",
        "element-permitted-content",
      ];
      for (const [level, code] of [
        ["warn", 0],
        ["error", 1],
      ] as const) {
        setAll(level, "budget: 1\n");
        const said = await check(["--json", "--external"]);
        const told = readTold(said);
        expect([said.code, told.ok]).toEqual([code, level === "warn"]);
        expect(told).toMatchObject({ external: { links: 3 } });
        expect([...new Set(rulesOf(told, level))].sort()).toEqual([...found].sort());
        expect(told.faults.every((fault) => fault.level === level)).toBe(true);
      }
      setAll("off", "budget: 1\n");
      const quiet = await check(["--external"]);
      expect(quiet).toMatchObject({ code: 0, err: "" });
      expect(quiet.out).toMatch(
        /^no faults in 9 pages \(0 validated anew\); 3 links to other hosts, 0 asked\n$/,
      );
      // What a build refuses no setting lets through.
      write("content/y.html", "<h1>Y</h1><a href='/gone'>g</a>");
      expect((await check()).err).toContain(
        'content/y.html:1:20: link "/gone": there is no page and no file /gone',
      );
    } finally {
      await endServer(server);
    }
  }, 60_000);

  it("is refused word for word where it is wrong, all at once", async () => {
    write(
      "etc/check.yaml",
      [
        "rules:",
        "  singel-h1: off",
        "  missing-alt: warm",
        "  no-such-thing: warn",
        "budgte: 3",
        "budget: 0",
        "external: {ignor: []}",
        "",
      ].join("\n"),
    );
    const said = await check();
    expect([said.code, said.out]).toEqual([1, ""]);
    expect(said.err.split("\n").filter((line) => line.startsWith("etc/"))).toEqual([
      'etc/check.yaml:2:3: there is no rule "singel-h1"; did you mean "single-h1"?',
      'etc/check.yaml:3:3: "rules.missing-alt" is "warm"; it must be one of error, warn, off',
      `etc/check.yaml:4:3: there is no rule "no-such-thing"; our own are ${own.join(", ")}`,
      'etc/check.yaml:5:1: unknown key "budgte"; did you mean "budget"?',
      expect.stringMatching(/^etc\/check\.yaml:6:1: "budget" is "0"; /),
      'etc/check.yaml:7:12: unknown key "external.ignor"; did you mean "ignore"?',
    ]);
    expect(said.err).toMatch(/\n6 faults in 8 pages \(8 validated anew\)\n$/);
    write("etc/check.yaml", "rules: {rules: [\n");
    expect((await check()).err).toMatch(/^etc\/check\.yaml:\d+:\d+: this is not valid YAML: /);
  });

  it("changes levels without anything being validated anew", async () => {
    write("content/x.html", warned);
    await check();
    write("etc/check.yaml", "rules: {single-h1: error}\n");
    const said = await check();
    expect([said.code, said.err.split("\n").at(-2)]).toEqual([1, "1 fault in 9 pages (0 validated anew)"]);
  });
});
