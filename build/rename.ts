/**
 * The hashed names of assets put into pages and layouts, with what belongs beside them: the hash that browsers compare,
 * and the size of a picture, so that the text does not jump when it arrives. Links that a reader follows keep the
 * plain name. Texts stay as they are written until the last moment, so that every fault is told in the owner's words.
 */
import { escapeText } from "../lib/util/templates.ts";
import type { Renamed, Renames } from "./assets.ts";
import { isFollowed } from "./attributes.ts";
import { type FoundLink, type Markup, scanMarkup } from "./scan.ts";
import { decode } from "./targets.ts";
import type { Template } from "./template.ts";
import { toAscii } from "./text.ts";

/** Replaces `length` bytes (characters, in a layout) at `offset`. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

const loading = new Set(["stylesheet", "icon", "preload", "modulepreload", "apple-touch-icon"]);

/** True for what a browser loads by itself. */
function isLoaded({ tag, attribute, rel }: FoundLink): boolean {
  if (isFollowed(tag) || tag === "form") return false;
  if (tag === "link") return rel.split(/\s+/).some((word) => loading.has(word)) && attribute === "href";
  if (attribute === "src" || attribute === "srcset" || attribute === "imagesrcset" || attribute === "poster")
    return tag !== "iframe";
  return false;
}

/** The edits of a body, in their order; undefined where there is none, as in most. `path`: the page's address. */
export function findEdits(markup: Markup, path: string, renames: Renames): readonly Edit[] | undefined {
  if (renames.size === 0) return undefined;
  let edits: Edit[] | undefined;
  for (const link of markup.links) {
    const found = isLoaded(link) ? findRenamed(link.target, path, renames) : undefined;
    if (found === undefined) continue;
    edits ??= [];
    edits.push({ offset: link.offset, length: link.written.length, text: escapeText(found.address) });
    const beside = besideOf(link, found.renamed, markup);
    if (beside !== "") edits.push({ offset: link.tagEnd, length: 0, text: beside });
  }
  return edits?.sort((a, b) => a.offset - b.offset);
}

function findRenamed(
  target: string,
  path: string,
  renames: Renames,
): { readonly renamed: Renamed; readonly address: string } | undefined {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#|$)/i.test(target) || !URL.canParse(target, `http://site${path}`))
    return undefined;
  const { pathname, search, hash } = new URL(target, `http://site${path}`);
  const renamed = search === "" ? renames.get((decode(pathname) ?? pathname).slice(1)) : undefined;
  return renamed === undefined ? undefined : { renamed, address: renamed.address + hash };
}

function besideOf(link: FoundLink, { integrity, size }: Renamed, markup: Markup): string {
  const isSheet = link.tag === "link" && link.rel.split(/\s+/).includes("stylesheet");
  if ((isSheet || link.tag === "script") && integrity !== "" && !link.hasIntegrity)
    return ` integrity="${integrity}"`;
  const image = link.tag === "img" ? markup.images.find((candidate) => candidate.link === link) : undefined;
  if (image === undefined || image.hasSize || size === undefined) return "";
  return ` width="${size.width}" height="${size.height}"`;
}

/** The edited bytes; the very same where there are no edits. */
export function applyEdits(bytes: Buffer, edits: readonly Edit[] | undefined): Buffer {
  if (edits === undefined) return bytes;
  const parts: Buffer[] = [];
  let done = 0;
  for (const { offset, length, text } of edits) {
    parts.push(bytes.subarray(done, offset), Buffer.from(text));
    done = offset + length;
  }
  parts.push(bytes.subarray(done));
  return Buffer.concat(parts);
}

/** By how many bytes they make a body longer. */
export function growthOf(edits: readonly Edit[] | undefined): number {
  let growth = 0;
  for (const { length, text } of edits ?? []) growth += Buffer.byteLength(text) - length;
  return growth;
}

/**
 * Layouts with hashed names in their code; their text stays the owner's. References that are written out are renamed, and
 * what a template puts together is not. The address of a layout's page is not known: relative references stay.
 */
export async function renameInTemplates(
  templates: readonly Template[],
  renames: Renames,
): Promise<readonly Template[]> {
  if (renames.size === 0) return templates;
  return Promise.all(templates.map((template) => renameInTemplate(template, renames)));
}

async function renameInTemplate(template: Template, renames: Renames): Promise<Template> {
  const { name, text } = template;
  // Mails are plain text.
  if (name.startsWith("mail/") || !/\.\w+["'\s>]/.test(text)) return template;
  const markup = scanMarkup(text, { isTemplate: true });
  const absolute = markup.links.filter(({ target }) => target.startsWith("/") && !target.includes("{{"));
  const edits = findEdits({ ...markup, links: absolute }, "/", renames);
  if (edits === undefined) return template;
  const patched = patchCode(template, absolute, edits);
  if (patched !== undefined) return { ...template, code: toAscii(patched) };
  let edited = "";
  let done = 0;
  for (const { offset, length, text: own } of edits) {
    edited += text.slice(done, offset) + own;
    done = offset + length;
  }
  const { compile } = await import("./compile.ts");
  const compiled = compile(name, edited + text.slice(done));
  return "code" in compiled ? { ...template, code: compiled.code } : template;
}

/**
 * The compiled code with other strings in it, which saves loading the compiler; undefined where the attribute, as it is
 * written, is not found as often as it should be.
 */
function patchCode(
  { text, code }: Template,
  links: readonly FoundLink[],
  edits: readonly Edit[],
): string | undefined {
  const changes = new Map<string, { readonly after: string; count: number }>();
  for (const link of links) {
    const renamed = edits.find(({ offset, length }) => offset === link.offset && length > 0);
    if (renamed === undefined) continue;
    const beside = edits.find(({ offset, length }) => offset === link.tagEnd && length === 0);
    const quote = text[link.offset - 1] ?? "";
    const before = `${link.attribute}=${quote}${link.written}${quote}`;
    const after = `${link.attribute}=${quote}${renamed.text}${quote}${beside?.text ?? ""}`;
    const known = changes.get(before) ?? { after, count: 0 };
    if (known.after !== after || !/["']/.test(quote)) return undefined;
    known.count += 1;
    changes.set(before, known);
  }
  let patched = code.toString("latin1");
  for (const [before, { after, count }] of changes) {
    const parts = patched.split(JSON.stringify(before).slice(1, -1));
    if (text.split(before).length !== count + 1 || parts.length !== count + 1) return undefined;
    patched = parts.join(JSON.stringify(after).slice(1, -1));
  }
  return patched;
}
