/**
 * The Content-Security-Policy that fits a site: what its pages really load and run, and nothing else (CSP Level 3). What a
 * page needs is noted where its markup is read; most pages need nothing that is not allowed anyway.
 */
import { createHash } from "node:crypto";
import { isFollowed } from "./attributes.ts";
import type { FoundLink, InlineCode, Markup } from "./scan.ts";

/** What must be allowed besides what always is: "style-src 'sha256-...'", "img-src https://other.example". */
export type Needs = readonly string[];

const always: Readonly<Record<string, readonly string[]>> = {
  "default-src": ["'none'"],
  "img-src": ["'self'"],
  "style-src": ["'self'"],
  "font-src": ["'self'"],
  "media-src": ["'self'"],
  "manifest-src": ["'self'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
  "base-uri": ["'none'"],
};

const none: Needs = [];

export function findNeeds({ inline, links }: Pick<Markup, "inline" | "links">): Needs {
  let needs: Set<string> | undefined;
  for (const code of inline) {
    needs ??= new Set();
    for (const need of allowInline(code)) needs.add(need);
  }
  for (const link of links) {
    if (isFollowed(link.tag)) continue;
    const need = allowLink(link);
    if (need === undefined) continue;
    needs ??= new Set();
    needs.add(need);
  }
  return needs === undefined ? none : [...needs].sort();
}

/** Browsers hash the text as it stands in the element or the attribute. */
function allowInline({ kind, text }: InlineCode): readonly string[] {
  const hash = `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const directive = kind === "script" || kind === "handler" ? "script-src" : "style-src";
  const isAttribute = kind === "handler" || kind === "style-attribute";
  return [`${directive} ${hash}`, ...(isAttribute ? [`${directive} 'unsafe-hashes'`] : [])];
}

function allowLink({ target, tag, attribute, rel }: FoundLink): string | undefined {
  const directive = directiveOf(tag, attribute, rel);
  if (directive === undefined) return undefined;
  if (/^data:/i.test(target)) return `${directive} data:`;
  const isOutside = /^(?:https?:)?\/\//i.test(target) && URL.canParse(target, "https://site");
  if (isOutside) return `${directive} ${new URL(target, "https://site").origin}`;
  return directive === "script-src" || directive === "frame-src" ? `${directive} 'self'` : undefined;
}

function directiveOf(tag: string, attribute: string, rel: string): string | undefined {
  if (attribute === "action" || attribute === "formaction") return "form-action";
  if (tag === "script") return "script-src";
  if (tag === "iframe") return "frame-src";
  if (tag === "video" && attribute === "src") return "media-src";
  if (tag === "audio" || tag === "track") return "media-src";
  if (tag === "object" || tag === "embed") return "object-src";
  if (tag === "link")
    return /\bstylesheet\b/.test(rel) ? "style-src" : /\bicon\b/.test(rel) ? "img-src" : undefined;
  // A source stands in a picture as often as in a film.
  return attribute === "src" || attribute === "srcset" || attribute === "poster" ? "img-src" : undefined;
}

/** In a fixed order: the same needs make the same policy. */
export function writePolicy(needs: Iterable<string>): string {
  const sources = new Map(Object.entries(always).map(([name, values]) => [name, [...values]]));
  for (const need of [...new Set(needs)].sort()) {
    const [directive = "", value = ""] = need.split(" ");
    const known = sources.get(directive) ?? [];
    if (!known.includes(value)) known.push(value);
    sources.set(directive, known);
  }
  return [...sources].map(([name, values]) => `${name} ${values.join(" ")}`).join("; ");
}
