// Goal of this test: the page that a fault is shown on speaks of one moment, leads nowhere but to the page itself, and keeps what was asked.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../build/build.ts";
import { isLastGood, type Live, makeLive } from "../dev/live.ts";
import { type MadeSite, makeSite } from "./support/release.ts";

const inPage = { file: "content/a.html", line: 2, column: 1, message: "a fault" };
const inLayout = { file: "layouts/page.html", line: 0, message: "a fault" };

let site: MadeSite;
let live: Live;
beforeEach(() => {
  site = makeSite();
  live = makeLive(site.sourceFolder);
});
afterEach(() => site.remove());

const shown = (fault: Fault, path: string, search = ""): string =>
  String(live.faultReply([fault], path, search).body);
const linkOf = (html: string): string | undefined => /href="([^"]*last-good)"/.exec(html)?.[1];

describe("a fault", () => {
  it("is shown with its line, by the status of a page that cannot be had, and by a page that follows its mending", () => {
    site.write("content/a.html", "one\ntwo\n");
    const answer = live.dress(live.faultReply([inPage], "/a.html", ""));
    expect(answer.status).toBe(500);
    expect(answer.body).toContain("<pre>  2 | two\n");
    expect(answer.body).toContain("<script");
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
    expect(linkOf(shown(inLayout, path, search))).toBe(href);
  });

  it.each([
    ["?last-good", true],
    ["?q=1&last-good", true],
    ["?q=last-good", false],
    ["", false],
  ])("is not shown to who asks for the page as it was last: %s", (search, isAsked) => {
    expect(isLastGood(search)).toBe(isAsked);
  });
});
