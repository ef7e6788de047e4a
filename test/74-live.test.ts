// Goal of this test: the page that a fault is shown on speaks of one moment, leads nowhere but to the page itself, and keeps what was asked.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Reply } from "../dev/listen.ts";
import { type Live, makeLive } from "../dev/live.ts";
import { type MadeSite, makeSite } from "./support/release.ts";

const headers = { "Content-Type": "text/html; charset=utf-8" };
const reply: Reply = { status: 200, headers, body: "<body>the page</body>" };
const inPage = { file: "content/a.html", line: 2, column: 1, message: "a fault" };
const inLayout = { file: "layouts/page.html", line: 0, message: "a fault" };

let site: MadeSite;
let live: Live;
beforeEach(() => {
  site = makeSite();
  live = makeLive(site.sourceFolder);
});
afterEach(() => site.remove());

const shown = (path: string, search = ""): string => String(live.dress(reply, path, search).body);
const linkOf = (html: string): string | undefined => /href="([^"]*last-good)"/.exec(html)?.[1];

describe("a fault", () => {
  it("is shown with its line as it was when it was found", () => {
    site.write("content/a.html", "one\ntwo\n");
    live.setFaults([inPage]);
    site.write("content/a.html", "1\n2\n");
    expect(shown("/a.html")).toContain("<pre>  2 | two\n");
    live.setFaults([inPage]);
    expect(shown("/a.html")).toContain("<pre>  2 | 2\n");
    expect(shown("/b.html")).toContain("the page");
  });

  it.each([
    ["/a.html", "", "/a.html?last-good"],
    ["/a.html", "?", "/a.html?last-good"],
    ["/a.html", "?q=1&r=%22", "/a.html?q=1&amp;r=%22&amp;last-good"],
    ["//evil.example/a", "", "/evil.example/a?last-good"],
    ["///evil.example/a", "", "/evil.example/a?last-good"],
    ["/\\evil.example/a", "", "/evil.example/a?last-good"],
    ["\\\\evil.example/a", "", "/evil.example/a?last-good"],
  ])("on %s%s leads to the page as it was last, on this site", (path, search, href) => {
    live.setFaults([inLayout]);
    expect(linkOf(shown(path, search))).toBe(href);
  });

  it("is not shown to who asks for the page as it was last, whatever else is asked", () => {
    live.setFaults([inLayout]);
    for (const search of ["?last-good", "?q=1&last-good"])
      expect(shown("/a.html", search)).toContain("the page");
    expect(shown("/a.html", "?q=last-good")).toContain("a fault");
  });
});
