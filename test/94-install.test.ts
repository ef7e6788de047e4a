// Goal of this test: what the system looks for in /etc is put there whole, once, and taken away again when a release has it no more.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildSite } from "../build/build.ts";
import { installFiles } from "../build/host/install.ts";
import { initSite } from "../build/init.ts";
import { systemClock } from "../lib/util/clock.ts";

let folder: string;
const at = (path: string) => join(folder, path);
const build = async (cluster: string): Promise<string> => {
  writeFileSync(at("source/etc/cluster.yaml"), cluster);
  const built = await buildSite({ sourceFolder: at("source"), outFolder: at("dist"), clock: systemClock });
  if (!built.ok) throw new Error(JSON.stringify(built.faults));
  return built.releaseFolder;
};
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-install-")));
  initSite(at("source"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("site install", () => {
  it("puts everything in place, and then has nothing to do", async () => {
    const release = await build("home: /srv/shop\n");
    const first = installFiles(release, at("root"));
    const units = readdirSync(join(release, "etc/systemd"));
    expect(first.added).toEqual(units.sort());
    expect(first.changed).toEqual([
      ...units.map((name) => `etc/systemd/system/${name}`),
      "etc/tmpfiles.d/site.conf",
      "etc/logrotate.d/site",
      "etc/nftables.d/site.conf",
    ]);
    for (const name of units)
      expect(readFileSync(at(`root/etc/systemd/system/${name}`), "utf8")).toBe(
        readFileSync(join(release, "etc/systemd", name), "utf8"),
      );
    expect(installFiles(release, at("root"))).toEqual({ changed: [], added: [], gone: [] });
  });

  it("takes units away that are no more, with what starts them, and leaves those of others", async () => {
    installFiles(await build("programs: resident\n"), at("root"));
    const units = at("root/etc/systemd/system");
    mkdirSync(join(units, "sockets.target.wants"));
    symlinkSync("../site-pages.socket", join(units, "sockets.target.wants/site-pages.socket"));
    writeFileSync(join(units, "site-own.service"), "[Unit]\nDescription=somebody's\n");
    const { added, gone, changed } = installFiles(await build("programs: cgi\n"), at("root"));
    expect([added, gone]).toEqual([[], ["site-hashing.socket", "site-pages.socket", "site-paying.socket"]]);
    expect(changed).toContain("etc/systemd/system/site-pages.service");
    expect(changed).toContain("etc/systemd/system/site-pages.socket");
    expect(readdirSync(join(units, "sockets.target.wants"))).toEqual([]);
    expect(existsSync(join(units, "site-own.service"))).toBe(true);
    // And back.
    const back = installFiles(await build("programs: resident\n"), at("root"));
    expect(back.added).toEqual(["site-hashing.socket", "site-pages.socket", "site-paying.socket"]);
  });
});
