/**
 * Style sheets: the addresses in one (what url() and @import name, with their places; comments hold none), and several
 * made one. What browsers pass over in silence is a fault here: what does not parse, and misspelt properties.
 */
import { type Fault, sortFaults } from "./fault.ts";

export interface StyleLink {
  readonly target: string;
  readonly offset: number;
}

// What is never closed is taken as far as it goes: begun anew at every sign in it, a long one would take for ever.
const parts =
  /\/\*[\s\S]*?(?:\*\/|$)|url\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^"')\s]+))\s*\)|url\([^"')\s]*|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?/gi;

/** In their order. Addresses that are empty are left out. */
export function readStyleLinks(css: string): readonly StyleLink[] {
  return [...css.matchAll(parts)].flatMap((match): StyleLink[] => {
    const target = match.slice(1).find((group) => group !== undefined);
    if (target === undefined || target === "") return [];
    return [{ target, offset: match.index + match[0].indexOf(target) }];
  });
}

/** A style sheet, known by its path from the site's folder. */
export interface StyleSheet {
  readonly file: string;
  readonly text: string;
}

/** The sheet that an @import of `from` means; what is wrong where there is none. */
export type ResolveSheet = (target: string, from: string) => StyleSheet | { readonly wrong: string };
/** What is written for an address in url(), as it stands in `from`; what is wrong where it leads nowhere. */
export type RenameUrl = (target: string, from: string) => string | { readonly wrong: string };

/**
 * One small sheet of a sheet and all that it imports. The same sheets and answers make the same bytes.
 * Addresses with a scheme (https:, data:), of another host (//), or of the page itself (#) are not asked for and stay.
 * @returns no text where there are faults
 */
export async function bundleStyle(
  entry: StyleSheet,
  resolve: ResolveSheet,
  rename: RenameUrl,
): Promise<{ readonly text: string | undefined; readonly faults: readonly Fault[] }> {
  // Loaded only where it is needed: it starts the bundler.
  const { bundleSheets } = await import("./bundle.ts");
  const texts = new Map([[entry.file, entry.text]]);
  const { text, messages } = await bundleSheets({
    entry: entry.file,
    findSheet: (target, from) => {
      const found = resolve(target, from);
      if ("wrong" in found) return found;
      if (!texts.has(found.file)) texts.set(found.file, found.text);
      return { file: found.file };
    },
    readSheet: (file) => texts.get(file) ?? "",
    placeUrl: (target, from) => {
      const url = rename(target, from);
      return typeof url === "string" ? { url } : url;
    },
  });
  const faults = messages.map(({ text: message, place }): Fault => {
    if (place === undefined) return { file: entry.file, line: 0, message };
    return { file: place.file, line: place.line, column: place.column, message };
  });
  return faults.length > 0 ? { text: undefined, faults: sortFaults(faults) } : { text, faults: [] };
}
