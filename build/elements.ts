/** What the HTML Standard says of elements, as far as it decides which tags must be closed. Called by scan.ts. */

export interface Element {
  /** In small letters. */
  readonly name: string;
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

/** One object for each element that the standard knows. */
function elementOf(name: string): Element {
  return known.get(name) ?? makeElement(name);
}

/**
 * Short names as numbers, so that the scanner finds their elements without cutting text out: digits to the base 32,
 * none of which is 0, so that no two names are the same number.
 */
const longestShort = 6;

/** The digit of a character of a name; 0 for those that short names do not have. */
const digits = new Uint8Array(128);
for (let letter = 0; letter < 26; letter += 1) {
  digits[0x61 + letter] = 1 + letter;
  digits[0x41 + letter] = 1 + letter;
}
for (let digit = 1; digit <= 6; digit += 1) digits[0x30 + digit] = 26 + digit;

/** 0 where it is no short name. */
function numberOf(text: string, from: number, end: number): number {
  if (end - from > longestShort) return 0;
  let number = 0;
  for (let at = from; at < end; at += 1) {
    const digit = digits[text.charCodeAt(at)] ?? 0;
    if (digit === 0) return 0;
    number = number * 32 + digit;
  }
  return number;
}

const byNumber = new Map([...known].map(([name, own]) => [numberOf(name, 0, name.length), own]));
byNumber.delete(0);

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
  return byNumber.get(numberOf(text, from, end)) ?? elementOf(text.slice(from, end).toLowerCase());
}
