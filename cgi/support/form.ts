/**
 * Query strings and forms, read strictly: application/x-www-form-urlencoded in UTF-8, each field once, known
 * fields only, each within its length. What passes is a Map, so that no field name can reach a prototype.
 */
import { type Refusal, refuse } from "../../lib/util/failure.ts";
import type { FieldRule } from "../../lib/util/routes.ts";

export type Fields = ReadonlyMap<string, string>;

export type FieldRefusal = Refusal<"bad-encoding" | "unknown-field" | "repeated-field" | "field-too-long">;

/** Parses `text` by the rules. Refusals come in the order in which the fields stand. */
export function parseFields(
  text: string,
  rules: readonly FieldRule[],
): { readonly ok: true; readonly fields: Fields } | FieldRefusal {
  const fields = new Map<string, string>();
  if (text === "") return { ok: true, fields };
  for (const pair of text.split("&")) {
    const cut = pair.indexOf("=");
    const name = decode(cut < 0 ? pair : pair.slice(0, cut));
    const value = decode(cut < 0 ? "" : pair.slice(cut + 1));
    if (name === undefined || value === undefined) return refuse("bad-encoding");
    const rule = rules.find((candidate) => candidate.name === name);
    if (rule === undefined) return refuse("unknown-field");
    if (fields.has(name)) return refuse("repeated-field");
    if (Buffer.byteLength(value) > rule.maxBytes) return refuse("field-too-long");
    fields.set(name, value);
  }
  return { ok: true, fields };
}

/**
 * What of a refused query is right by itself, with its "?"; "" where nothing is. Programs that read mail append words of their own to
 * links, whose token must not be lost with them.
 */
export function keepKnown(text: string, rules: readonly FieldRule[]): string {
  const kept = new Map<string, string>();
  for (const pair of text.split("&")) {
    const one = parseFields(pair, rules);
    if (!one.ok) continue;
    for (const [name, value] of one.fields) if (!kept.has(name)) kept.set(name, value);
  }
  return kept.size === 0 ? "" : `?${new URLSearchParams([...kept])}`;
}

/** Undoes the encoding of one name or value; undefined for bytes that are no UTF-8, broken escapes, and NUL. */
function decode(text: string): string | undefined {
  try {
    // decodeURIComponent refuses broken escapes and bad UTF-8, which URLSearchParams would replace in silence.
    const value = decodeURIComponent(text.replaceAll("+", " "));
    return value.includes("\0") ? undefined : value;
  } catch {
    return undefined;
  }
}
