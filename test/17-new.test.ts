// Goal of this test: `site new` and `site layout` lay down files that a build takes, name them, and write over nothing.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyLayout, layPage, listAllLayouts } from "../build/scaffold.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const nowMs = Date.parse("2026-11-26T23:59:59Z");
const lay = (folder: string, title: string, isHtml = false) =>
  layPage({ sourceFolder: workshop.source, folder, title, isHtml, nowMs });
const read = (file: string) => readFileSync(join(workshop.source, file), "utf8");

describe("a new page", () => {
  it("has a header with its title and its date, and is built as it is", async () => {
    expect(lay("docs", "How to pay, in brief")).toEqual({
      ok: true,
      file: "content/docs/how-to-pay-in-brief.md",
    });
    expect(read("content/docs/how-to-pay-in-brief.md")).toBe(
      "---\ntitle: How to pay, in brief\ndate: 2026-11-26\n---\n# How to pay, in brief\n\nWrite here.\n",
    );
    workshop.clock.ms = nowMs;
    await workshop.built();
    expect(workshop.read("www/docs/how-to-pay-in-brief.html")).toContain("How to pay, in brief</h1>");
  });

  it.each([
    ["Grüße aus Łódź!", "grüße-aus-łódź"],
    ["नमस्ते दुनिया 2", "नमस्ते-दुनिया-2"],
    ["2 * 3 * 4 < `x` & {#id} [a](b) _c_", "2-3-4-x-id-a-b-c"],
    ['"Quotes": # and \\ all - true', "quotes-and-all-true"],
    ["yes", "yes"],
    ["- [x]", "x"],
    ["  spaces  ", "spaces"],
  ])("of the title %j is named %j, and shows its title as it is", async (title, slug) => {
    workshop.clock.ms = nowMs;
    for (const isHtml of [false, true]) {
      const folder = isHtml ? "in-html" : "new/deep";
      const file = `content/${folder}/${slug}.${isHtml ? "html" : "md"}`;
      expect(lay(folder, title, isHtml)).toEqual({ ok: true, file });
      await workshop.built();
      const page = workshop.read(`www/${folder}/${slug}.html`);
      const shown = /<h1[^>]*>(.*)<\/h1>/.exec(page)?.[1] ?? "";
      const plain = shown.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"');
      expect(plain.replaceAll("&amp;", "&")).toBe(title.trim());
    }
  });

  it("is a draft where the index page of its folder lists entries, and only there", () => {
    workshop.write("site/content/news/index.html", "---\ntitle: News\nentries: 10\n---\n<h1>News</h1>");
    workshop.write("site/content/log/index.md", "---\r\nentries: all\r\n---\r\n# Log");
    workshop.write("site/content/other/index.md", "---\ntitle: Other\n---\nentries: 10\n---\n");
    for (const [folder, isDraft] of [
      ["news", true],
      ["content/log/", true],
      ["other", false],
      [".", false],
    ] as const) {
      const laid = lay(folder, "One");
      expect(laid).toMatchObject({ ok: true });
      const text = laid.ok ? read(laid.file) : "";
      expect([folder, text.includes("\ndraft: yes\n---\n")]).toEqual([folder, isDraft]);
    }
  });

  it("is refused, and nothing is written, where it cannot be", () => {
    const before = readTree(workshop.source);
    for (const [folder, title, message] of [
      ["docs", "Start", "content/docs/start.html: is there already; choose another title"],
      [".", "FAQ", "content/faq.md: is there already; choose another title"],
      ["../etc", "x", "../etc: pages lie in content/; name a folder in it, such as news"],
      ["docs/../../x", "x", "docs/../../x: pages lie in content/; name a folder in it, such as news"],
      ["/tmp", "x", "/tmp: pages lie in content/; name a folder in it, such as news"],
      ["docs", " ", "a title is one line of text; write it in quotes"],
      ["docs", "a\nb", "a title is one line of text; write it in quotes"],
      ["docs", "?!", '"?!" has no letter and no digit, of which its file\'s name is made'],
      ["faq.md/x", "x", "content/faq.md/x: a file has this name, or one above it; choose another folder"],
    ])
      expect(lay(folder ?? "", title ?? "")).toMatchObject({ ok: false, detail: message });
    expect(readTree(workshop.source)).toEqual(before);
    workshop.remove("site/content");
    expect(lay("docs", "x")).toMatchObject({ ok: false, why: "no-site" });
  });
});

describe("the package's layouts", () => {
  const list = () => listAllLayouts(workshop.source, workshop.home);
  const copy = (name: string) => copyLayout(workshop.source, name, workshop.home);

  it("are listed with the site's own", () => {
    workshop.write("site/layouts/wide.html", "{{{content}}}");
    expect(list()).toEqual([
      { name: "footer", isGiven: true, isOwn: true },
      { name: "header", isGiven: true, isOwn: false },
      { name: "nav", isGiven: true, isOwn: false },
      { name: "page", isGiven: true, isOwn: false },
      { name: "wide", isGiven: false, isOwn: true },
      { name: "account/login", isGiven: true, isOwn: false },
      { name: "mail/confirm", isGiven: true, isOwn: false },
    ]);
  });

  it("are copied by their names, and the site is the same with them", async () => {
    const { releaseId } = await workshop.built();
    for (const [name, file] of [
      ["page", "layouts/page.html"],
      ["account/login", "layouts/account/login.html"],
      ["layouts/mail/confirm.txt", "layouts/mail/confirm.txt"],
    ] as const) {
      expect(copy(name)).toEqual({ ok: true, file });
      expect(read(file)).toBe(readFileSync(join(workshop.home.folder, file), "utf8"));
    }
    expect((await workshop.built()).releaseId).toBe(releaseId);
  });

  it("are not copied over what is there, and misspelt names are told", () => {
    const footer = read("layouts/footer.html");
    expect(copy("footer")).toMatchObject({
      ok: false,
      detail: "layouts/footer.html: is there already; change that one, or delete it first",
    });
    expect(read("layouts/footer.html")).toBe(footer);
    expect(copy("acount/login")).toMatchObject({
      ok: false,
      detail: 'there is no layout "acount/login"; did you mean "account/login"?',
    });
    expect(copy("zzzzzzz")).toMatchObject({ detail: expect.stringContaining("; there are: footer, header") });
    expect(copy("../../etc/passwd")).toMatchObject({ ok: false, why: "unknown" });
    expect(existsSync(join(workshop.source, "layouts/account"))).toBe(false);
  });
});
