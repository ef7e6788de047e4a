/**
 * One document judged by html-validate, which is imported here only, and by our own rules that need its tree. A pure
 * function of the document and the rules, so that its answer can be kept (spread.ts) or made on another thread
 * (worker.ts). The library takes a quarter of a second to load: only `site check` does.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { HtmlElement } from "html-validate/browser";
import { assert } from "../../lib/util/failure.ts";
import { judgeAlts, judgeHeadings, type Seen } from "./outline.ts";
import type { chooseHtmlRules, Finding } from "./rules.ts";

export type HtmlRules = ReturnType<typeof chooseHtmlRules>;
export type Validator = (document: string) => readonly Finding[];

// The name by which our own look at the tree takes part in the run.
const ownName = "picodollar";

/** Loads the library. A validator may be asked any number of times, one document after the other. */
export async function makeValidator(rules: HtmlRules): Promise<Validator> {
  const { HtmlValidate, Rule, StaticConfigLoader } = await import("html-validate/browser");
  let seen: readonly Seen[] = [];
  class Look extends Rule {
    override setup(): void {
      this.on("dom:ready", ({ document }) => {
        seen = document.querySelectorAll("h1, h2, h3, h4, h5, h6, img, area, input").map(describe);
      });
    }
  }
  const loader = new StaticConfigLoader({
    root: true,
    elements: ["html5"],
    plugins: [{ name: ownName, rules: { [ownName]: Look } }],
    rules: Object.fromEntries([
      [ownName, "error"],
      ...rules.map(([name, options]) => [name, ["error", options]]),
    ]),
  });
  // Asked for each document, it would read its tables of elements anew each time, half of the whole work.
  const config = loader.getConfigFor("page");
  loader.getConfigFor = () => config;
  const engine = new HtmlValidate(loader);
  return (document) => {
    seen = [];
    const messages = engine.validateStringSync(document, "page").results.flatMap((result) => result.messages);
    const found = messages.map(
      ({ ruleId, offset, message }): Finding => ({
        rule: ruleId,
        // A tag is told by its name; people look for its "<".
        offset: document.charAt(offset - 1) === "<" ? offset - 1 : offset,
        message: message.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase()),
      }),
    );
    const inOrder = [...seen].sort((a, b) => a.offset - b.offset);
    return [...found, ...judgeAlts(inOrder), ...judgeHeadings(inOrder)];
  };
}

function describe(element: HtmlElement): Seen {
  const readValue = (name: string): string | undefined => {
    const attribute = element.getAttribute(name);
    return attribute === null ? undefined : String(attribute.value ?? "");
  };
  return {
    tag: element.tagName.toLowerCase(),
    offset: element.location.offset - 1,
    alt: readValue("alt"),
    type: readValue("type"),
    href: readValue("href"),
  };
}

/** Whether html-validate has a rule of this name; asked only for names that rules.ts does not list. */
export async function hasHtmlRule(name: string): Promise<boolean> {
  const { ruleExists } = await import("html-validate/browser");
  return ruleExists(name);
}

/** Without loading the library: an answer that was kept is that of one version. */
export function validatorVersion(): string {
  const file = createRequire(import.meta.url).resolve("html-validate/package.json");
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert(
    typeof manifest === "object" && manifest !== null && "version" in manifest,
    "html-validate has a version",
  );
  return String(manifest.version);
}
