/**
 * Style sheets as browsers get them: each with what it imports, small, and with the hashed names of what it shows. What
 * the bundler made is kept in dist/.cache/ by all that went in, since it takes longer to start than most builds.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode } from "../lib/util/failure.ts";
import { keepFile } from "./aside.ts";
import type { Renames } from "./assets.ts";
import type { Fault } from "./fault.ts";
import { cacheName } from "./shelf.ts";
import type { Source } from "./sources.ts";
import { bundleStyle, type StyleSheet } from "./styles.ts";

export interface Sheet {
  readonly source: Source;
  readonly text: string;
}

interface Options {
  /** Undefined where nothing may be kept. */
  readonly outFolder: string | undefined;
  readonly tool: string;
}

interface Made {
  readonly sheets: readonly Sheet[];
  /** Leaves what was made for later builds; to be called when the site was published. */
  readonly keep: () => void;
  readonly faults: readonly Fault[];
}

const nothing = (): void => undefined;

export async function makeSheets(
  sheets: readonly Sheet[],
  renames: Renames,
  { outFolder, tool }: Options,
): Promise<Made> {
  if (sheets.length === 0) return { sheets, keep: nothing, faults: [] };
  const addresses = [...renames].map(([output, { address }]) => [output, address]);
  const inputs = sheets.map(({ source, text }) => [source.output, text]);
  const key = sha256Hex(JSON.stringify([tool, addresses, inputs]));
  const file = outFolder === undefined ? undefined : join(outFolder, cacheName, "styles.json");
  const kept = file === undefined ? undefined : readKept(file, key);
  if (kept?.length === sheets.length)
    return {
      sheets: sheets.map(({ source }, at) => ({ source, text: kept[at] ?? "" })),
      keep: nothing,
      faults: [],
    };
  const made: Sheet[] = [];
  const faults: Fault[] = [];
  for (const { source, text } of sheets) {
    const entry = { file: source.file, text };
    const bundled = await bundleStyle(entry, findSheet(sheets), findUrl(renames));
    // Where an address leads nowhere is told with all other links (links.ts).
    faults.push(...bundled.faults.filter(({ message }) => message !== nowhere));
    made.push({ source, text: bundled.text ?? "" });
  }
  return { sheets: made, keep: file === undefined ? nothing : () => keep(file, key, made), faults };
}

const nowhere = "leads nowhere";

function resolvePath(target: string, from: string): string {
  const path = new URL(target, `http://site/${encodeURI(from.slice("content/".length))}`).pathname;
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return path.slice(1);
  }
}

function findSheet(sheets: readonly Sheet[]) {
  return (target: string, from: string): StyleSheet | { readonly wrong: string } => {
    const output = resolvePath(target, from);
    const found = sheets.find(({ source }) => source.output === output);
    return found === undefined ? { wrong: nowhere } : { file: found.source.file, text: found.text };
  };
}

/** A sheet that is imported by another one stands at that one's address: every url() is told from the root. */
function findUrl(renames: Renames) {
  return (target: string, from: string): string => {
    const { pathname, search, hash } = new URL(
      target,
      `http://site/${encodeURI(from.slice("content/".length))}`,
    );
    const renamed = search === "" ? renames.get(resolvePath(target, from)) : undefined;
    return `${renamed?.address ?? pathname}${search}${hash}`;
  };
}

/** The texts in their order, if they were made of the same. */
function readKept(file: string, key: string): readonly string[] | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as {
      readonly key: string;
      readonly texts: readonly string[];
    };
    const { check } = kept as { readonly check?: string };
    return kept.key === key && check === sha256Hex(JSON.stringify(kept.texts)) ? kept.texts : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, ["ENOENT", "ENOTDIR", "EACCES"])) return undefined;
    throw error;
  }
}

/** A later build does without it where it cannot be written. */
function keep(file: string, key: string, made: readonly Sheet[]): void {
  const texts = made.map(({ text }) => text);
  keepFile(file, [JSON.stringify({ key, check: sha256Hex(JSON.stringify(texts)), texts })]);
}
