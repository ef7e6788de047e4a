// Goal of this test: on every page the navigation marks where the reader is, also on pages that it does not list.
import { describe, expect, it } from "vitest";
import { markAccountLinks, markNavigation } from "../lib/util/navigation.ts";

const sections = [
  { label: "Home", href: "/", children: [] },
  { label: "Docs", href: "/docs/", children: [{ label: "Start", href: "/docs/start.html" }] },
  { label: "FAQ", href: "/faq.html", children: [] },
];

describe("the navigation", () => {
  it.each([
    ["/", "Home", ["Home"], []],
    ["/docs/", "Docs", ["Docs"], []],
    ["/docs/start.html", "", ["Docs"], ["Start"]],
    ["/docs/not-listed.html", "", ["Docs"], []],
    ["/docs/deep/down/", "", ["Docs"], []],
    ["/faq.html", "FAQ", ["FAQ"], []],
    ["/faq.html.old", "", [], []],
    ["/account/login.cgi", "", [], []],
  ])("on %s marks %j as current", (path, current, open, children) => {
    const marked = markNavigation(sections, path);
    const labels = (links: readonly { readonly label: string }[]) => links.map(({ label }) => label);
    expect(labels(marked.filter((section) => section.current))).toEqual(current === "" ? [] : [current]);
    expect(labels(marked.filter((section) => section.open))).toEqual(open);
    expect(labels(marked.flatMap((section) => section.children).filter((child) => child.current))).toEqual(
      children,
    );
  });

  it("marks the account page that is shown", () => {
    const current = markAccountLinks("/account/login.cgi", false).filter((link) => link.current);
    expect(current.map(({ label }) => label)).toEqual(["Log in"]);
  });
});
