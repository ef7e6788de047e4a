// Goal of this test: layouts that set-up compiled make the same site, byte for byte, as layouts compiled in the build;
// only a layout of the very same text is taken from there, and mails are told from pages.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeLayouts } from "../build/precompile.ts";
import { listLayouts, listShown, readTemplates } from "../build/template.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const contents = (folder: string) =>
  Object.fromEntries(Object.entries(readTree(folder)).map(([name, { content }]) => [name, content]));

const read = async () => {
  const { templates, faults } = await readTemplates(workshop.source, workshop.home);
  expect(faults).toEqual([]);
  // As JSON would have it: undefined members are none.
  return templates.map(({ name, text, code, uses, links, tree }) =>
    JSON.parse(JSON.stringify({ name, text, code: code.toString(), uses, links, tree: tree() })),
  );
};

it("are what the compiler makes, and make the same release", async () => {
  workshop.write("site/layouts/own.html", "{{page.title}}{{> nav}}{{{content}}}");
  const [compiled, cold] = [await read(), await workshop.built()];
  await writeLayouts(workshop.home);
  expect(await read()).toEqual(compiled);
  const ready = await workshop.built({ outFolder: join(workshop.folder, "ready") });
  expect(contents(ready.releaseFolder)).toEqual(contents(cold.releaseFolder));
});

it("are taken by their text, and for mails by their kind", async () => {
  await writeLayouts(workshop.home);
  // Planted: were a text taken for another, or compiled anew, this would not be seen.
  const folder = workshop.home.codeFolder;
  const [file = ""] = readdirSync(folder).filter((name) => /^layouts\..*bin$/.test(name));
  const planted = readFileSync(join(folder, file), "utf8").replaceAll('"compiler"', '"COMPILER"');
  workshop.write(`package/${file}`, planted);
  const isReady = async () =>
    Object.fromEntries((await read()).map(({ name, code }) => [name, code.includes('"COMPILER"')]));
  expect(await isReady()).toMatchObject({ "account/login": true, "mail/confirm": true, page: true });
  const login = readFileSync(join(workshop.home.folder, "layouts/account/login.html"), "utf8");
  workshop.write("site/layouts/mail/confirm.txt", login);
  workshop.write("site/layouts/account/login.html", `${login}\n`);
  workshop.write("site/layouts/copy.html", readFileSync(join(workshop.home.folder, "layouts/page.html")));
  expect(await isReady()).toMatchObject({
    "account/login": false,
    "mail/confirm": false,
    copy: true,
    page: true,
  });
});

it("are loaded for pages only as far as pages show them", async () => {
  workshop.write("site/layouts/own.html", "{{#if page.home}}{{> deep}}{{/if}}{{{content}}}");
  workshop.write("site/layouts/deep.html", "{{> account/login}}");
  const names = async () => {
    const { templates } = await readTemplates(workshop.source, workshop.home);
    return listShown(templates, listLayouts(templates)).map(({ name }) => name);
  };
  expect(await names()).toEqual(["account/login", "deep", "footer", "header", "nav", "own", "page"]);
  workshop.write("site/layouts/deep.html", "deep");
  expect(await names()).toEqual(["deep", "footer", "header", "nav", "own", "page"]);
  workshop.write("site/layouts/deep.html", '{{> (lookup site "name")}}');
  expect(await names()).toContain("mail/confirm");
});

it("are not looked at again, but where one of a site's own is among them", async () => {
  workshop.write("package/layouts/account/account.html", "<h1>{{balance}}</h1>\n");
  workshop.write("package/layouts/account/error.html", "<h1>Wrong</h1>\n");
  await writeLayouts(workshop.home);
  expect(await workshop.faults()).toEqual([]);
  // The package's page shows it, and so do its account pages.
  const nav = readFileSync(join(workshop.home.folder, "layouts/nav.html"), "utf8");
  workshop.write("site/layouts/nav.html", `${nav}{{#if page.image}}{{site.nmae}}{{/if}}`);
  expect(await workshop.faults()).toEqual([
    expect.stringMatching(/^layouts\/nav\.html:\d+:\d+: "nmae" is not among what is given here/),
  ]);
  workshop.write("site/layouts/nav.html", nav);
  // A text of the package under another of its names is given other things.
  workshop.write("site/layouts/account/error.html", "<h1>{{balance}}</h1>\n");
  expect((await workshop.faults())[0]).toMatch(
    /^layouts\/account\/error\.html:.* is not among what is given here/,
  );
});

it("that were replaced since their list was read are told", async () => {
  await writeLayouts(workshop.home);
  const folder = workshop.home.codeFolder;
  for (const name of readdirSync(folder)) if (/^layouts\..*bin$/.test(name)) rmSync(join(folder, name));
  await expect(workshop.build()).rejects.toThrow(`${folder}: the package was replaced while this ran`);
  await writeLayouts(workshop.home);
  rmSync(join(folder, "layouts-trees.json"));
  workshop.write("site/layouts/nav.html", "{{site.name}}");
  await expect(workshop.build()).rejects.toThrow(`${folder}: the package was replaced while this ran`);
});
