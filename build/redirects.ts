/**
 * etc/redirects.yaml: old addresses and where they lead now. Each becomes a line of the web server's configuration, and a
 * page that leads on by itself for a server without it. Chains and circles are faults: what leads on to
 * another old address costs a reader a second round, or never ends.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findRoute } from "../lib/util/routes.ts";
import { escapeText } from "../lib/util/templates.ts";
import type { Fault } from "./fault.ts";
import { readPairs } from "./section.ts";
import { decode } from "./targets.ts";
import { readUtf8 } from "./text.ts";

export interface Redirect {
  /** The old address as it is asked for, decoded: "/alt/faq.html". */
  readonly from: string;
  /** An address of the site, or of another one. */
  readonly to: string;
  /** Path below www/ of the page that leads on. */
  readonly output: string;
  readonly line: number;
  readonly column: number;
}

export const redirectsFile = "etc/redirects.yaml";

/** @param outputs what the site has already, with the file that makes it */
export function readRedirects(
  sourceFolder: string,
  findOutputs: () => ReadonlyMap<string, string>,
): { readonly redirects: readonly Redirect[]; readonly faults: readonly Fault[] } {
  const file = join(sourceFolder, redirectsFile);
  if (!existsSync(file)) return { redirects: [], faults: [] };
  const text = readUtf8(file);
  if (typeof text !== "string") return { redirects: [], faults: [{ file: redirectsFile, ...text }] };
  const { pairs, faults } = readPairs(redirectsFile, text);
  const outputs = findOutputs();
  const redirects: Redirect[] = [];
  const wrong: Fault[] = [];
  const known = new Map<string, Redirect>();
  for (const { name, value, line, column } of pairs) {
    const message = judge(name, value, outputs);
    const from = decode(name) ?? name;
    const redirect = { from, to: value, output: outputOf(from), line, column };
    if (message !== undefined) wrong.push({ file: redirectsFile, line, column, message });
    else if (known.has(redirect.output)) {
      const twice = `"${name}" and "${known.get(redirect.output)?.from}" are one address here; keep one`;
      wrong.push({ file: redirectsFile, line, column, message: twice });
    } else {
      known.set(redirect.output, redirect);
      redirects.push(redirect);
    }
  }
  for (const { to, from, line, column } of redirects) {
    const next = to.startsWith("/") ? known.get(outputOf(pathOf(to))) : undefined;
    if (next === undefined) continue;
    const own = next.from === from ? "itself" : `"${next.from}", which is moved too; write where that leads`;
    wrong.push({ file: redirectsFile, line, column, message: `"${from}" leads to ${own}` });
  }
  return { redirects, faults: [...faults, ...wrong] };
}

function judge(from: string, to: string, outputs: ReadonlyMap<string, string>): string | undefined {
  if (!/^\/(?!\/)[^?#\s\p{C}\\]*$/u.test(from))
    return `"${from}" must be an old address of this site, "/old/page.html"`;
  if (decode(from) === undefined) return `"${from}": its percent signs are not right; write %25 for %`;
  if (/\/\.{1,2}(?:\/|$)|\/\//.test(decode(from) ?? ""))
    return `"${from}" is not as browsers ask for it; write it without "." and "//"`;
  if (!/^(?:\/(?!\/)|https:\/\/)[^\s\p{C}]*$/u.test(to))
    return `"${to}" must be an address of this site, "/new.html", or a whole one, "https://..."`;
  if (to.startsWith("https:") && !URL.canParse(to)) return `"${to}" is no address`;
  const path = decode(from) ?? from;
  if (/^\/(?:account|mailbox)\//.test(path) || findRoute(path) !== undefined)
    return `"${from}" belongs to the account programs`;
  const there = outputs.get(outputOf(path)) ?? outputs.get(path.slice(1));
  return there === undefined ? undefined : `"${from}" is there: ${there} makes it; take one of them away`;
}

/** Whatever its ending, the page is one that a server sends as HTML. */
function outputOf(from: string): string {
  const path = from.slice(1);
  if (path === "" || path.endsWith("/")) return `${path}index.html`;
  return /\.html?$/i.test(path) ? path : `${path}/index.html`;
}

function pathOf(target: string): string {
  const path = target.split(/[?#]/)[0] ?? "";
  return decode(path) ?? path;
}

/** The page that leads on; search engines take the two for one. */
export function writeRedirect({ to }: Redirect, url: string): string {
  const [target, whole] = [escapeText(to), escapeText(to.startsWith("/") ? url + to : to)];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>This page has moved</title>
<link rel="canonical" href="${whole}">
<meta http-equiv="refresh" content="0; url=${target}">
</head>
<body>
<p>This page has moved to <a href="${target}">${target}</a>.</p>
</body>
</html>
`;
}
