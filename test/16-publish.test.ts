// Goal of this test: a release is put in place at once or not at all, what did not change is linked and not
// written, and nothing of anybody else's is touched.
import { spawn } from "node:child_process";
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../lib/util/digest.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const releases = () => readdirSync(join(workshop.out, "releases")).sort();
const later = (seconds = 1) => {
  workshop.clock.ms += seconds * 1000;
};
const change = (text: string) => workshop.write("site/content/docs/hidden.html", `<h1>${text}</h1>`);

describe("a release", () => {
  it("is described by its manifest, and named by it", async () => {
    const { releaseId, releaseFolder } = await workshop.built();
    const text = workshop.read("manifest.json");
    const manifest = JSON.parse(text) as {
      tool: string;
      files: { path: string; sha256: string; bytes: number }[];
    };
    expect(manifest.tool).toBe("picodollar 0.0.1");
    expect(releaseId).toBe(`20261123-080500-${sha256Hex(text).slice(0, 8)}`);
    const held = Object.keys(readTree(releaseFolder)).filter(
      (name) => name !== "manifest.json" && !name.startsWith("native/"),
    );
    expect(manifest.files.map(({ path }) => path)).toEqual(held.sort());
    for (const { path, sha256, bytes } of manifest.files) {
      const content = readFileSync(join(releaseFolder, path));
      expect([path, sha256Hex(content), content.length]).toEqual([path, sha256, bytes]);
    }
  });

  it("is reached by a relative link, so that dist/ can be moved", async () => {
    const { releaseId } = await workshop.built();
    expect(readlinkSync(join(workshop.out, "current"))).toBe(`releases/${releaseId}`);
    renameSync(workshop.out, join(workshop.folder, "moved"));
    expect(readFileSync(join(workshop.folder, "moved/current/www/style.css"), "utf8")).toBe(
      "main { margin: 1em }\n",
    );
  });
});

describe("a second build", () => {
  it("of the same sources writes nothing", async () => {
    const first = await workshop.built();
    const before = readTree(workshop.out);
    later();
    const times = { ms: expect.any(Number), stages: expect.any(Array) };
    expect(await workshop.built()).toEqual({ ...first, changed: false, written: 0, ...times });
    expect(readTree(workshop.out)).toEqual(before);
    expect(readdirSync(workshop.out).sort()).toEqual(["current", "releases"]);
  });

  it("writes what changed, and links the rest: same file, same time", async () => {
    const first = await workshop.built();
    later();
    change("Changed");
    workshop.write("site/content/new/page.html", "<h1>New</h1>");
    workshop.remove("site/content/docs/start.html");
    workshop.write("site/content/pictures/my dot.svg", "<svg/>");
    const second = await workshop.built();
    expect(second).toMatchObject({ changed: true, pages: 8 });
    const [before, after] = [readTree(first.releaseFolder), readTree(second.releaseFolder)];
    // start.html stood in the navigation of the pages of docs/, and of no other, and of each program; index.html shows
    // the picture.
    const written = Object.keys(after).filter((name) => after[name]?.ino !== before[name]?.ino);
    expect(written.filter((name) => !/^(?:cgi|jobs|programs)\//.test(name))).toEqual([
      "manifest.json",
      "www/docs/accounts.html",
      "www/docs/hidden.html",
      "www/docs/index.html",
      "www/docs/pages.html",
      "www/index.html",
      "www/new/page.html",
      "www/pictures/my dot.d4dc566691.svg",
      "www/pictures/my dot.svg",
      "www/sitemap.xml",
    ]);
    expect(after["www/docs/start.html"]).toBeUndefined();
    expect(after["www/style.css"]).toEqual(before["www/style.css"]);
    expect(before["www/docs/hidden.html"]?.content).toContain("Hidden page");
  });

  it("mends what was damaged in dist/, even if no source changed", async () => {
    const first = await workshop.built();
    // As long as it was: only its bytes tell.
    writeFileSync(join(first.releaseFolder, "www/style.css"), "main { margin: 9em }\n");
    rmSync(join(first.releaseFolder, "www/faq.html"));
    later();
    expect(await workshop.built()).toMatchObject({ changed: true });
    expect(workshop.read("www/style.css")).toBe("main { margin: 1em }\n");
    expect(workshop.read("www/faq.html")).toContain("Is it good?");
  });

  it("takes a new native addon along", async () => {
    await workshop.built();
    workshop.write("package/addon.node", "another addon");
    later();
    expect(await workshop.built()).toMatchObject({ changed: true });
    expect(workshop.read("native/better_sqlite3.node")).toBe("another addon");
  });

  it("finds its way where current is gone or leads nowhere", async () => {
    const first = await workshop.built();
    rmSync(join(workshop.out, "current"));
    symlinkSync("releases/nothing", join(workshop.out, "current"));
    later();
    const second = await workshop.built();
    expect(second.changed).toBe(true);
    expect(readTree(second.releaseFolder)["www/faq.html"]?.content).toBe(
      readTree(first.releaseFolder)["www/faq.html"]?.content,
    );
  });

  it("within the same second goes by its content", async () => {
    const first = await workshop.built();
    change("Changed");
    const second = await workshop.built();
    change("Changed again");
    await workshop.built();
    change("Changed");
    expect(await workshop.built()).toMatchObject({ releaseId: second.releaseId, changed: true });
    expect(workshop.read("www/docs/hidden.html")).toContain("<h1>Changed</h1>");
    expect(releases()).toContain(first.releaseId);
  });
});

describe("old releases", () => {
  it("are removed but for three", async () => {
    const ids: string[] = [];
    for (const text of ["a", "b", "c", "d", "e"]) {
      change(text);
      ids.push((await workshop.built()).releaseId);
      later();
    }
    expect(releases()).toEqual(ids.slice(-3));
    expect(readdirSync(workshop.out).sort()).toEqual(["current", "releases"]);
  });

  it("of a host stay while programs of theirs may run, which is a minute, and then are three again", async () => {
    const home = join(workshop.folder, "home");
    mkdirSync(home);
    symlinkSync(workshop.out, join(home, "dist"));
    workshop.write("site/etc/cluster.yaml", `home: ${home}\n`);
    const link = join(workshop.out, "current");
    const made: string[] = [];
    for (const text of ["a", "b", "c", "d", "e"]) {
      later();
      change(text);
      made.push((await workshop.built()).releaseId);
    }
    expect(releases()).toEqual(made);
    // The link as it will be then.
    lutimesSync(link, new Date(0), new Date(0));
    later();
    change("f");
    made.push((await workshop.built()).releaseId);
    expect(releases()).toEqual(made.slice(-3));
  });

  it("stay if they are not ours", async () => {
    for (const text of ["a", "b", "c", "d", "e"]) {
      mkdirSync(join(workshop.out, "releases", "before-the-move"), { recursive: true });
      change(text);
      await workshop.built();
      later();
    }
    expect(releases()).toContain("before-the-move");
    expect(releases()).toHaveLength(4);
  });

  it("half written by builds that died are removed, those of living ones are not", async () => {
    await workshop.built();
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((done) => dead.on("exit", done));
    const living = [`.new-${process.ppid}-abc`, ".gitignore"];
    for (const name of [`.new-${dead.pid}-abc`, `.old-${dead.pid}-abc`, ...living])
      mkdirSync(join(workshop.out, name));
    change("a");
    later();
    await workshop.built();
    expect(readdirSync(workshop.out).sort()).toEqual([...living, "current", "releases"].sort());
  });
});

describe("a folder to build in", () => {
  const refused = async (out: string, message: string) =>
    expect(await workshop.faults({ outFolder: out })).toEqual([`${out}: ${message}`]);

  it("may not hold what no build made", async () => {
    workshop.write("out/thesis.txt", "ten years of work");
    await refused(workshop.out, "holds files that no build made; choose an empty folder, or a new one");
    expect(readdirSync(workshop.out)).toEqual(["thesis.txt"]);
    await refused(workshop.source, "holds files that no build made; choose an empty folder, or a new one");
  });

  it("may not be a link into the sources, nor hold somebody else's current", async () => {
    mkdirSync(join(workshop.source, "content", "out"));
    symlinkSync(join(workshop.source, "content", "out"), join(workshop.folder, "link"));
    await refused(
      join(workshop.folder, "link"),
      "the built site cannot lie in content/, where its sources are; choose another folder",
    );
    mkdirSync(join(workshop.folder, "theirs", "releases"), { recursive: true });
    symlinkSync("/srv/theirs", join(workshop.folder, "theirs", "current"));
    await refused(
      join(workshop.folder, "theirs"),
      "its current is no link to a release, so no build made it; delete it or choose another folder",
    );
  });

  it("is mended where somebody changed a file's mode", async () => {
    await workshop.built();
    const page = join(workshop.out, "current", "www", "index.html");
    chmodSync(page, 0o000);
    workshop.clock.ms += 5000;
    const again = await workshop.built();
    expect(again.changed).toBe(true);
    expect(statSync(join(workshop.out, "current", "www", "index.html")).mode & 0o777).toBe(0o644);
  });

  it("may not be a file, nor have a current that is no link", async () => {
    workshop.write("out", "");
    await refused(workshop.out, "this is no folder; choose another one for the built site");
    workshop.write("other/current/a", "");
    workshop.write("other/releases/a", "");
    await refused(
      join(workshop.folder, "other"),
      "its current is no link to a release, so no build made it; delete it or choose another folder",
    );
  });

  it.each(["content", "content/dist", "layouts/dist", "etc"])("may not lie in %s", async (name) => {
    const room = name.split("/")[0];
    const message = `the built site cannot lie in ${room}/, where its sources are; choose another folder`;
    await refused(join(workshop.source, name), message);
  });

  it("may be empty, or not there yet", async () => {
    mkdirSync(workshop.out);
    await workshop.built();
    await workshop.built({ outFolder: join(workshop.folder, "a/b/c") });
    await workshop.built({ outFolder: join(workshop.source, "dist") });
    await workshop.built({ outFolder: join(workshop.source, "dist") });
  });

  it("must be one that can be made", async () => {
    workshop.write("file", "");
    const outFolder = join(workshop.folder, "file/dist");
    await expect(workshop.build({ outFolder })).rejects.toThrow(
      `${outFolder}: cannot be written; see to the folder above it, its permissions, and the space on its disk`,
    );
  });
});
