/**
 * One document judged by html-validate, which is imported here only, and by our own rules that need its tree. A pure
 * function of the document and the rules, so that its answer can be kept (judge.ts). The library takes a quarter of a
 * second to load: only `site check` does, and only where a page changed.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Library from "html-validate/browser";
import { assert } from "../../lib/util/failure.ts";
import { isImageButton, judgeAlts, judgeHeadings, type Seen } from "./outline.ts";
import type { chooseHtmlRules, Finding } from "./rules.ts";

export type HtmlRules = ReturnType<typeof chooseHtmlRules>;
export type Validator = (document: string) => readonly Finding[];

// The name by which our own look at the tree takes part in the run.
const ownName = "picodollar";

// What html-validate does not know: HTML Standard, 6.8.1 (contenteditable) and 16.1 (a name may stand, if it must).
const corrections = {
  "*": { attributes: { contenteditable: { enum: ["", "true", "false", "plaintext-only"] } } },
  a: { attributes: { name: { deprecated: false } } },
};

// The command is run as one script (cli/site.ts), in which there is no import(): the library is required when needed.
const require = createRequire(import.meta.url);
const loadLibrary = (): typeof Library => require("html-validate/browser") as typeof Library;

/** Loads the library. A validator may be asked any number of times, one document after the other. */
export function makeValidator(rules: HtmlRules): Validator {
  const { HtmlValidate, Rule, StaticConfigLoader } = loadLibrary();
  const looks: (readonly Seen[])[] = [];
  class Look extends Rule {
    override setup(): void {
      this.on("dom:ready", ({ document }) => {
        const elements = document.querySelectorAll("h1, h2, h3, h4, h5, h6, img, area, input");
        looks.push(elements.map(describe).sort((a, b) => a.offset - b.offset));
      });
    }
  }
  const loader = new StaticConfigLoader({
    root: true,
    elements: ["html5", corrections],
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
    looks.length = 0;
    const messages = engine.validateStringSync(document, "page").results.flatMap((result) => result.messages);
    const found = messages.map(
      ({ ruleId, offset, message }): Finding => ({
        rule: ruleId,
        // A tag is told by its name; people look for its "<".
        offset: document.charAt(offset - 1) === "<" ? offset - 1 : offset,
        message: message.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase()),
      }),
    );
    // Where the text is no HTML at all, there is no tree to look at.
    const [seen] = looks;
    if (seen === undefined) return found;
    // The label of a picture that is a button is its alt.
    const labelled = new Set(seen.filter(isImageButton).map(({ offset }) => offset));
    const right = found.filter(({ rule, offset }) => rule !== "input-missing-label" || !labelled.has(offset));
    return [...right, ...judgeAlts(seen), ...judgeHeadings(seen)];
  };
}

function describe(element: Library.HtmlElement): Seen {
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
export function hasHtmlRule(name: string): boolean {
  return loadLibrary().ruleExists(name);
}

/** Without loading the library: an answer that was kept is that of one version. */
export function validatorVersion(): string {
  const file = require.resolve("html-validate/package.json");
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert(
    typeof manifest === "object" && manifest !== null && "version" in manifest,
    "html-validate has a version",
  );
  return String(manifest.version);
}
