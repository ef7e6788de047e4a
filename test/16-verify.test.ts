// Goal of this test: a release is told to be what its manifest and its sources say, or which files are not; and whoever
// asks changes nothing by asking.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyRelease } from "../build/build.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

async function verify() {
  const { source, out, clock, home } = workshop;
  const verified = await verifyRelease({ sourceFolder: source, outFolder: out, clock, home });
  return verified.ok ? verified.differences.map(({ path, what }) => `${path}: ${what}`) : verified;
}

describe("a release", () => {
  it.each(["no", "yes"])("is as it should be, compress: %s", async (compress) => {
    writeFileSync(
      join(workshop.source, "etc/site.yaml"),
      `name: A\nurl: https://good.example\ncompress: ${compress}\n`,
    );
    await workshop.built();
    const before = readTree(workshop.out);
    expect(await verify()).toEqual([]);
    expect(readTree(workshop.out)).toEqual(before);
  });

  it("is told where it is not", async () => {
    const { releaseFolder } = await workshop.built();
    appendFileSync(join(releaseFolder, "www/faq.html"), " ");
    rmSync(join(releaseFolder, "www/docs/hidden.html"));
    writeFileSync(join(releaseFolder, "www/extra.html"), "");
    appendFileSync(join(workshop.source, "content/index.html"), "<p>More</p>\n");
    workshop.write("site/content/new.html", "<h1>New</h1>");
    workshop.remove("site/content/.well-known");
    expect(await verify()).toEqual([
      "www/.well-known/security.txt: no longer made",
      "www/docs/hidden.html: missing",
      "www/extra.html: unlisted",
      "www/faq.html: damaged",
      "www/index.html: outdated",
      "www/new.html: not built",
      "www/sitemap.xml: outdated",
    ]);
  });

  it("that is not there, or sources with faults, are told", async () => {
    expect(await verify()).toMatchObject({
      ok: false,
      faults: [{ message: "no release with a manifest is here; run: site build" }],
    });
    await workshop.built();
    workshop.write("site/content/index.html", "<h1>Broken<h1>");
    expect(await verify()).toMatchObject({ ok: false });
  });
});
