// Goal of this test: builds that run at the same time do not harm each other, nor those who read the site.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../lib/util/digest.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const releases = () => readdirSync(join(workshop.out, "releases")).sort();

describe("builds at the same time", () => {
  it("in one process all succeed", async () => {
    const results = await Promise.all([workshop.built(), workshop.built(), workshop.built()]);
    expect(new Set(results.map(({ releaseId }) => releaseId)).size).toBe(1);
  });

  it("in several processes never leave a reader without a page, nor current without its release", async () => {
    const rounds = 6;
    const script = await writeBuilder(rounds);
    await workshop.built();
    const builders = [1, 2, 3].map((number) => runBuilder(script, number));
    let running = true;
    const ended = Promise.all(builders).finally(() => {
      running = false;
    });
    let reads = 0;
    while (running) {
      expect(workshop.read("www/docs/hidden.html")).toMatch(/<h1>(?:Hidden page|builder \d round \d)<\/h1>/);
      reads += 1;
      await new Promise((next) => setTimeout(next, 1));
    }
    expect(await ended).toEqual(["", "", ""]);
    expect(reads).toBeGreaterThan(50);
    const current = realpathSync(join(workshop.out, "current"));
    const manifest = JSON.parse(workshop.read("manifest.json")) as {
      files: { path: string; sha256: string }[];
    };
    for (const { path, sha256 } of manifest.files)
      expect(sha256Hex(readFileSync(join(current, path)))).toBe(sha256);
    expect(releases()).toContain(basename(current));
    expect(readdirSync(workshop.out).sort()).toEqual(["current", "releases"]);
  });
});

/** A plain JavaScript program that builds the workshop's site several times, each time with another page. */
async function writeBuilder(rounds: number): Promise<string> {
  const script = join(workshop.folder, "builder.mjs");
  const root = new URL("../", import.meta.url).pathname;
  symlinkSync(join(root, "node_modules"), join(workshop.folder, "node_modules"));
  const { home, source, out, folder } = workshop;
  const contents = `
    import { cpSync, writeFileSync } from "node:fs";
    import { buildSite } from ${JSON.stringify(join(root, "build/build.ts"))};
    const number = Number(process.argv[2]);
    const sourceFolder = ${JSON.stringify(join(folder, "site-"))} + number;
    cpSync(${JSON.stringify(source)}, sourceFolder, { recursive: true });
    for (let round = 1; round <= ${rounds}; round += 1) {
      writeFileSync(sourceFolder + "/content/docs/hidden.html", "<h1>builder " + number + " round " + round + "</h1>");
      const clock = { now: () => Date.now() };
      const result = await buildSite({ sourceFolder, outFolder: ${JSON.stringify(out)}, home: ${JSON.stringify(home)}, clock });
      if (!result.ok) console.error(JSON.stringify(result.faults));
    }
    process.exit(0);`;
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outfile: script,
    logLevel: "silent",
  });
  return script;
}

function runBuilder(script: string, number: number): Promise<string> {
  const child = spawn(process.execPath, [script, String(number)], {
    env: {},
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  return new Promise((done) =>
    child.on("close", (code) => done(code === 0 ? said : `exit code ${code}: ${said}`)),
  );
}
