// Goal of this test: while releases are put in place and rolled back, behind the real hitch and lighttpd, each request is answered, and by
// one release: never by a half of one.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { startLoad } from "./support/load.ts";
import type { Wire } from "./support/secure.ts";
import { projectFolder } from "./support/served.ts";

describe.skipIf(!canHost)("under load", () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  }, 60_000);
  afterAll(() => host?.end());

  it("publishing and rolling back, again and again, loses no request and mixes nothing", async () => {
    const at = (path: string) => join(host.folder, path);
    const wire: Wire = { port: host.httpsPort, host: hostName };
    const settings = readFileSync(at("source/etc/site.yaml"), "utf8");
    /** In a process of its own, so that requests go on meanwhile. */
    const site = (...words: readonly string[]): Promise<void> =>
      new Promise((resolve, reject) => {
        const program = join(projectFolder, "out/cli/site.cjs");
        const where = ["--source", at("source"), "--out", at("dist")];
        const child = spawn(process.execPath, [program, ...words, ...where], { stdio: "ignore" });
        child.once("exit", (code) =>
          code === 0 ? resolve() : reject(new Error(`${words} ended with ${code}`)),
        );
      });
    const publish = async (name: string): Promise<void> => {
      writeFileSync(at("source/etc/site.yaml"), settings.replace(/^name: .*/m, `name: ${name}`));
      // Releases are told apart by the second.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await site("build");
    };
    const load = startLoad(wire, ["/", "/docs/paying.html", "/account/login.cgi", "/search.cgi?q=help"]);
    for (const name of ["Ant", "Bee", "Cat"]) await publish(name);
    for (const _ of [1, 2]) await site("rollback");
    await publish("Dog");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const counts = await load.end();
    expect(
      [...counts.keys()].filter((answer) => !/^200 (?:Example Storage|Ant|Bee|Cat|Dog)$/.test(answer)),
    ).toEqual([]);
    expect(counts.get("200 Dog")).toBeGreaterThan(0);
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBeGreaterThan(20);
  }, 60_000);
});
