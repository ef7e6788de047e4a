/**
 * The rules of `site check` by name, and what each is set to unless etc/check.yaml says otherwise. Rules of
 * html-validate are chosen one by one: what the HTML Standard forbids, and what shuts people out who listen to a page
 * or use no mouse; how markup is laid out is the author's own business. Called by settings.ts and validate.ts.
 */

export type Level = "error" | "warn" | "off";

/** Something found in a document. */
export interface Finding {
  readonly rule: string;
  /** Its place in the document, or `wholePage`. */
  readonly offset: number;
  readonly message: string;
}

export const wholePage = -1;

/** Our own rules. `invalid-html` stands for all of html-validate's that are chosen below. */
export const ownRules = {
  "invalid-html": "error",
  "missing-alt": "error",
  "heading-order": "error",
  "single-h1": "warn",
  "orphan-page": "error",
  "page-weight": "error",
  "external-link": "error",
  "external-moved": "warn",
  "external-unsure": "warn",
} as const satisfies Readonly<Record<string, Level>>;

export type OwnRule = keyof typeof ownRules;

/** What no setting can turn off: a build would refuse it. */
export const buildRule = "build";

type Options = Readonly<Record<string, unknown>>;

/**
 * Left out of html-validate's presets: what the build tells already (no-dup-id, valid-id, close-order), what our own
 * rules tell (heading-level, area-alt, wcag/h36, wcag/h37), and taste (no-implicit-button-type, no-redundant-role,
 * require-sri, no-inline-style, quotes, spaces, and case).
 */
export const htmlRules: Readonly<Record<string, Options>> = {
  "missing-doctype": {},
  "doctype-html": {},
  "element-name": {},
  "element-permitted-content": {},
  "element-permitted-occurrences": {},
  "element-permitted-order": {},
  "element-permitted-parent": {},
  "element-required-ancestor": {},
  "element-required-attributes": {},
  "element-required-content": {},
  "attribute-allowed-values": {},
  "attribute-misuse": {},
  "attr-spacing": {},
  "no-dup-attr": {},
  "close-attr": {},
  "void-content": {},
  "script-element": {},
  "input-attributes": {},
  "map-dup-name": {},
  "map-id-name": {},
  "valid-for": {},
  "valid-autocomplete": {},
  "no-missing-references": {},
  "no-multiple-main": {},
  "no-raw-characters": { relaxed: true },
  "unrecognized-char-ref": {},
  deprecated: {},
  "no-deprecated-attr": {},
  "no-abstract-role": {},
  "aria-label-misuse": { allowAnyNamable: true },
  "aria-hidden-body": {},
  "empty-heading": {},
  "empty-title": {},
  "hidden-focusable": {},
  "input-missing-label": {},
  "meta-refresh": {},
  "multiple-labeled-controls": {},
  "no-autoplay": { include: ["audio", "video"] },
  "text-content": {},
  "unique-landmark": {},
  "wcag/h30": {},
  "wcag/h32": {},
  "wcag/h63": {},
  "wcag/h67": {},
  "wcag/h71": {},
};

/** The level of a finding's rule: its own, or that of `invalid-html` for the rules chosen here. */
export function levelOf(rule: string, set: ReadonlyMap<string, Level>): Level {
  const own = set.get(rule);
  if (own !== undefined) return own;
  if (rule in ownRules) return ownRules[rule as OwnRule];
  return set.get("invalid-html") ?? ownRules["invalid-html"];
}

/** The rules of html-validate that are to be run, with their options, in the order of their names. */
export function chooseHtmlRules(set: ReadonlyMap<string, Level>): readonly (readonly [string, Options])[] {
  const named = [...set.keys()].filter((name) => !(name in ownRules));
  return [...new Set([...Object.keys(htmlRules), ...named])]
    .filter((name) => levelOf(name, set) !== "off")
    .sort()
    .map((name) => [name, htmlRules[name] ?? {}] as const);
}
