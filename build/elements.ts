/** What the HTML Standard says of elements, as far as it decides which tags must be closed. Called by scan.ts. */

export interface Element {
  /** In small letters. */
  readonly name: string;
  /** Its end tag as it is almost always written, "</p>". */
  readonly closing: string;
  /** 13.1.2: it has no end tag. */
  readonly isVoid: boolean;
  /** Its content is text up to its end tag, whatever that looks like. */
  readonly isRawText: boolean;
  /** 13.1.2.4: its end tag may be left out. */
  readonly isOptional: boolean;
  /** In it, "/>" closes a tag. */
  readonly isForeign: boolean;
  /** Which start tags end it where it was left open. */
  readonly enders: ReadonlySet<string> | undefined;
}

const list = (names: string): ReadonlySet<string> => new Set(names.split(" "));

const voidElements = list("area base br col embed hr img input link meta source track wbr");
/** Elements whose content is no markup. */
export const rawTextNames = list("script style textarea title iframe xmp noembed noframes");
const optionalEnd = list(
  "html head body p li dt dd tr td th thead tbody tfoot option optgroup colgroup caption rt rp",
);
const foreign = list("svg math");
const others = list(
  "a abbr b bdi bdo button cite code data del dfn em figure i ins kbd label map mark q s samp select small span strong sub sup time u var",
);

const blocks =
  "address article aside blockquote details dialog div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section table ul";
const cells = "td th tr tbody tfoot thead";

const enders: Readonly<Record<string, string>> = {
  p: `${blocks} li dt dd ${cells}`,
  li: "li",
  dt: "dt dd",
  dd: "dt dd",
  td: cells,
  th: cells,
  tr: "tr tbody tfoot thead",
  thead: "tbody tfoot",
  tbody: "tbody tfoot",
  tfoot: "tbody",
  option: "option optgroup",
  optgroup: "optgroup",
  colgroup: "tr thead tbody tfoot colgroup",
  caption: "tr thead tbody tfoot colgroup col",
  rt: "rt rp",
  rp: "rt rp",
  head: "body",
};

function makeElement(name: string): Element {
  const own = Object.hasOwn(enders, name) ? enders[name] : undefined;
  return {
    name,
    closing: `</${name}>`,
    isVoid: voidElements.has(name),
    isRawText: rawTextNames.has(name),
    isOptional: optionalEnd.has(name),
    isForeign: foreign.has(name),
    enders: own === undefined ? undefined : list(own),
  };
}

const names = [voidElements, rawTextNames, optionalEnd, foreign, others, list(blocks)].flatMap((all) => [
  ...all,
]);
const known = new Map(names.map((name) => [name, makeElement(name)]));

/** No name that the standard knows is longer. */
const longestKnown = 10;

/** The last element of each beginning and length: pages have few kinds of elements, and comparing is quicker than cutting out. */
const recent: (Element | undefined)[] = new Array(32 * 16).fill(undefined);

/** The element whose name is all that stands there, in small letters; undefined where the standard knows none. */
export function findElement(text: string, from: number, end: number): Element | undefined {
  const length = end - from;
  if (length <= 0 || length > longestKnown) return undefined;
  const slot = ((text.charCodeAt(from) & 31) << 4) | length;
  const last = recent[slot];
  if (last !== undefined && text.startsWith(last.name, from)) return last;
  const found = known.get(text.slice(from, end));
  if (found !== undefined) recent[slot] = found;
  return found;
}

const slash = 0x2f;
const greater = 0x3e;

/** Where the name that begins at `from` ends. */
export function endOfName(text: string, from: number): number {
  let end = from;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code <= 0x20 || code === slash || code === greater) break;
  }
  return end;
}

/** The element whose name stands there, in letters of either size. */
export function readElement(text: string, from: number, end: number): Element {
  const name = text.slice(from, end);
  const own = known.get(name);
  if (own !== undefined) return own;
  const small = name.toLowerCase();
  return known.get(small) ?? makeElement(small);
}
