/**
 * Colours for code in pages, as classes: no style attribute is written, since the Content-Security-Policy forbids
 * them. Done when the site is built, so that a reader needs no JavaScript. highlight.js is imported here only, and
 * loaded when the first fence with a language is met, one language at a time: a site without code pays nothing.
 * Called by build/markdown.ts.
 */
import { createRequire } from "node:module";
import type { HLJSApi, LanguageFn } from "highlight.js";
import { hasCode } from "../lib/util/failure.ts";
import { didYouMean } from "./fault.ts";

export type Highlighted =
  | { readonly ok: true; readonly html: string; readonly language: string }
  | { readonly ok: false; readonly why: string };

/** Short names that are much used: any other one costs a look into all 190 languages, 140 ms, once. */
const shortNames: Readonly<Record<string, string>> = {
  cjs: "javascript",
  console: "shell",
  html: "xml",
  js: "javascript",
  jsx: "javascript",
  md: "markdown",
  mjs: "javascript",
  patch: "diff",
  py: "python",
  sh: "bash",
  svg: "xml",
  text: "plaintext",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  txt: "plaintext",
  yml: "yaml",
  zsh: "bash",
};

// The library takes time with the square of a long word: 16 KiB without a space cost two seconds, 1 KiB 8 ms.
const longestLine = 1000;
const longestCode = 100_000;

const require = createRequire(import.meta.url);
let library: HLJSApi | undefined;
/** All languages there are: asked for names, never for colours. */
let catalogue: HLJSApi | undefined;

/**
 * The code as HTML, special characters escaped. Code of more than 100,000 characters, or with a line of more than
 * 1,000, is left without colours. The same code gives the same HTML, whatever was asked for before.
 * @param name language as written behind the fence, "ts"; capitals do not matter
 */
export function highlightCode(code: string, name: string): Highlighted {
  const language = findLanguage(name.toLowerCase());
  if (language === undefined) return { ok: false, why: explainUnknown(name) };
  const isLong = code.length > longestCode || code.split("\n").some((line) => line.length > longestLine);
  const options = { language: isLong ? "plaintext" : language, ignoreIllegals: true };
  if (isLong) loadLanguage("plaintext");
  return { ok: true, html: openLibrary().highlight(code, options).value, language };
}

function openLibrary(): HLJSApi {
  library ??= (require("highlight.js/lib/core") as HLJSApi).newInstance();
  return library;
}

function openCatalogue(): HLJSApi {
  catalogue ??= require("highlight.js") as HLJSApi;
  return catalogue;
}

/** The library's own name of a language, which is loaded then; undefined where it has none of that name. */
function findLanguage(name: string): string | undefined {
  const own = Object.hasOwn(shortNames, name) ? (shortNames[name] ?? name) : name;
  if (loadLanguage(own)) return own;
  const all = openCatalogue();
  const found = all.listLanguages().find((id) => all.getLanguage(id)?.aliases?.includes(name));
  return found !== undefined && loadLanguage(found) ? found : undefined;
}

/** Loads a language and those that may stand in it (CSS in HTML). False where there is no file of that name. */
function loadLanguage(name: string): boolean {
  if (openLibrary().getLanguage(name) !== undefined) return true;
  // The name becomes a part of a path.
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) return false;
  const inner = new Set<string>();
  try {
    const define = require(`highlight.js/lib/languages/${name}`) as LanguageFn;
    openLibrary().registerLanguage(name, (api) => {
      const language = define(api);
      settleInner(language, inner, new Set());
      return language;
    });
  } catch (error) {
    if (hasCode(error, ["MODULE_NOT_FOUND"])) return false;
    throw error;
  }
  for (const language of inner) loadLanguage(language);
  return true;
}

/**
 * Collects the languages that may stand in a language. Where the library would guess among those that happen to be
 * loaded, it is kept from it: a page's HTML must not depend on the pages before it.
 */
function settleInner(node: unknown, inner: Set<string>, seen: Set<unknown>): void {
  if (typeof node !== "object" || node === null || node instanceof RegExp || seen.has(node)) return;
  seen.add(node);
  const mode = node as { subLanguage?: string | string[] };
  if (typeof mode.subLanguage === "string") inner.add(mode.subLanguage);
  else delete mode.subLanguage;
  for (const value of Object.values(node)) settleInner(value, inner, seen);
}

function explainUnknown(name: string): string {
  const known = openCatalogue().listLanguages();
  const hint = didYouMean(name, [...known, ...Object.keys(shortNames)]);
  return `the language ${JSON.stringify(name)} of this code is not known${hint || "; leave it out, or write text"}`;
}
