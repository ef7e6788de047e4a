/** The addresses in a style sheet: what url() and @import name, with their places; comments hold none. */

export interface StyleLink {
  readonly target: string;
  readonly offset: number;
}

const parts =
  /\/\*[\s\S]*?\*\/|url\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^"')\s]+))\s*\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/gi;

/** In their order. Addresses that are empty are left out. */
export function readStyleLinks(css: string): readonly StyleLink[] {
  return [...css.matchAll(parts)].flatMap((match): StyleLink[] => {
    const target = match.slice(1).find((group) => group !== undefined);
    if (target === undefined || target === "") return [];
    return [{ target, offset: match.index + match[0].indexOf(target) }];
  });
}
