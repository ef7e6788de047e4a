/** What the HTML Standard says of elements, as far as it decides which tags must be closed. Called by scan.ts. */

/** 13.1.2: void elements have no end tag. */
export const voidElements: ReadonlySet<string> = new Set(
  "area base br col embed hr img input link meta source track wbr".split(" "),
);

/** Their content is text up to their end tag, whatever it looks like. */
export const rawText: ReadonlySet<string> = new Set(
  "script style textarea title iframe xmp noembed noframes".split(" "),
);

/** 13.1.2.4: elements whose end tag may be left out. */
export const optionalEnd: ReadonlySet<string> = new Set(
  "html head body p li dt dd tr td th thead tbody tfoot option optgroup colgroup caption rt rp".split(" "),
);

const blocks =
  "address article aside blockquote details dialog div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section table ul";
const cells = "td th tr tbody tfoot thead";

/** Which start tags end an element that was left open. */
const enders: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
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
  }).map(([tag, list]) => [tag, new Set(list.split(" "))]),
);

/** True if an open element ends where `next` begins. */
export function closedBy(open: string, next: string): boolean {
  return enders.get(open)?.has(next) === true;
}
