// Goal of this test: the firewall that a build makes, in a kernel of its own network: ssh and the site are open to others, everything else is
// closed, and one address has so many connections and no more.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFirewall } from "../build/host/firewall.ts";
import { readHostSettings } from "../build/host/place.ts";
import { initSite } from "../build/init.ts";
import { eventually } from "./support/served.ts";

const run = (program: string, ...words: readonly string[]) =>
  spawnSync(program, words, { encoding: "utf8", timeout: 30_000 });
const isRoot = process.getuid?.() === 0;
const [host, client] = [`pico-host-${process.pid}`, `pico-client-${process.pid}`];
const canSplit =
  isRoot && run("nft", "--version").status === 0 && run("ip", "netns", "add", host).status === 0;

const listening = `for (const port of [22, 80, 443, 8080, 5432])
  require("net").createServer((s) => s.on("error", () => {})).listen(port, "::", () => console.log(port));`;
/** Opens so many connections at once; says how many stand. */
const opening = (
  address: string,
  port: number,
  count: number,
) => `const net = require("net"); let done = 0, open = 0;
for (let n = 0; n < ${count}; n += 1) { const s = net.connect(${port}, "${address}");
  const end = (isOpen) => { open += isOpen; if (++done === ${count}) { console.log(open); process.exit(); } };
  s.once("connect", () => end(1)); s.once("error", () => end(0)); }
setTimeout(() => { console.log(open); process.exit(); }, 2000);`;

describe.skipIf(!canSplit)("the firewall", () => {
  let folder: string;
  let server: ChildProcess;
  const inside = (space: string, ...words: readonly string[]) => run("ip", "netns", "exec", space, ...words);
  const connect = (address: string, port: number, count = 1): number =>
    Number(inside(client, process.execPath, "-e", opening(address, port, count)).stdout);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "picodollar-firewall-"));
    initSite(join(folder, "source"));
    const { cluster } = readHostSettings(join(folder, "source"));
    const rules = join(folder, "nftables.conf");
    writeFileSync(rules, writeFirewall({ cluster, url: "", search: false, isCompressed: false }));
    run("ip", "netns", "add", client);
    const names = [`pa${process.pid}`, `pb${process.pid}`] as const;
    run(
      "ip",
      "link",
      "add",
      names[0],
      "netns",
      host,
      "type",
      "veth",
      "peer",
      "name",
      names[1],
      "netns",
      client,
    );
    for (const [space, name, number] of [
      [host, names[0], 1],
      [client, names[1], 2],
    ] as const) {
      inside(space, "ip", "link", "set", "lo", "up");
      inside(space, "ip", "addr", "add", `10.78.0.${number}/24`, "dev", name);
      inside(space, "ip", "addr", "add", `fd78::${number}/64`, "dev", name, "nodad");
      inside(space, "ip", "link", "set", name, "up");
    }
    // Twice, as after each new release.
    for (const _ of [1, 2]) expect(inside(host, "nft", "-f", rules)).toMatchObject({ status: 0, stderr: "" });
    server = spawn("ip", ["netns", "exec", host, process.execPath, "-e", listening]);
    let said = "";
    server.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    await eventually("the ports", () => (said.trim().split("\n").length === 5 ? true : undefined));
  }, 30_000);
  afterAll(() => {
    server?.kill();
    rmSync(folder, { recursive: true, force: true });
    for (const space of [host, client]) run("ip", "netns", "del", space);
  });

  it.each(["10.78.0.1", "fd78::1"])("of %s lets in who comes for the site, and who keeps it", (address) => {
    for (const port of [22, 80, 443]) expect([port, connect(address, port)]).toEqual([port, 1]);
    for (const port of [8080, 5432]) expect([port, connect(address, port)]).toEqual([port, 0]);
  });

  it.each(["10.78.0.1", "fd78::1"])("of %s lets one address have a hundred connections", (address) => {
    const open = connect(address, 443, 130);
    expect(open).toBe(100);
    // And again, when those are over.
    expect(connect(address, 443)).toBe(1);
  });
});
