/**
 * Every link inside the site must lead somewhere: to a page, a file, an anchor in a page, or a program that the
 * site has; and every tag must be closed in its order, every id be given once. What was noted of each page and layout is looked at;
 * where something is wrong, its text is read again for the place (faults.ts). What stands in a layout is a fault of
 * the layout, told once.
 */
import type { Settings } from "../lib/util/settings.ts";
import type { Bodies } from "./bodies.ts";
import { type Facts, shareText, unpack } from "./facts.ts";
import { compareText, type Fault, locate } from "./fault.ts";
import { explainBody, placeLinkInLayout, placeTagInLayout } from "./faults.ts";
import type { FramedPage } from "./frame.ts";
import { addressOf } from "./page.ts";
import { scanMarkup } from "./scan.ts";
import { bodyWord, type Mould } from "./segments.ts";
import type { Source } from "./sources.ts";
import type { Stages } from "./stages.ts";
import { readStyleLinks } from "./styles.ts";
import { baseMessage, type Ground, type Judge, makeJudge } from "./targets.ts";
import type { Template } from "./template.ts";

export interface LinkContext {
  /** The base URL, since links that spell it out are links inside the site; and what decides which programs it has. */
  readonly settings: Pick<Settings, "url" | "search">;
  /** Every path below www/, "docs/index.html". */
  readonly outputs: () => ReadonlySet<string>;
  readonly templates: readonly Template[];
  readonly bodies: Bodies;
  /** Addresses that stand in header blocks and settings. */
  readonly named: readonly NamedTarget[];
  /** Why a source makes no output, if it is left out. */
  readonly whyNot: (output: string) => string | undefined;
}

/** A style sheet of the site, with its text. */
export interface Style {
  readonly source: Source;
  readonly text: string;
}

/** An address, and where it is written. */
export interface NamedTarget extends Omit<Fault, "message"> {
  readonly target: string;
}

export interface LinkCheck {
  /** What is wrong with a page; of its layout, what was not told before. */
  readonly page: (one: FramedPage) => readonly Fault[];
  /** What is wrong with the addresses that stand in its header block. */
  readonly head: (file: string) => readonly Fault[];
  /** What is wrong with all else that has links: account pages, style sheets, header blocks, settings. */
  readonly others: (styles: readonly Style[]) => readonly Fault[];
}

/** What is known of pages: see Ground in targets.ts. */
export function openLinkCheck(
  context: LinkContext,
  pages: Pick<Ground, "idsOf" | "pageAt">,
  stages: Stages,
): LinkCheck {
  const judge = makeJudge({
    settings: context.settings,
    hasOutput: (output) => context.outputs().has(output),
    outputs: () => [...context.outputs()],
    whyNot: context.whyNot,
    ...pages,
  });
  const told = new Map<string, Fault>();
  const seen = new Set<Mould>();
  const checked = new Set<Facts>();
  const page = (one: FramedPage): readonly Fault[] => {
    stages.step();
    const before = told.size;
    if (!seen.has(one.mould)) checkLayoutTags(one, context, told);
    seen.add(one.mould);
    if (!checked.has(one.outside)) {
      checkLayoutLinks(one, judge, context, told);
      if (unpack(one.outside.targets).every(isOfSite)) checked.add(one.outside);
    }
    const own = isSuspect(one, judge) ? explainBody(one, judge, context.bodies) : [];
    return told.size === before ? own : [...own, ...[...told.values()].slice(before)];
  };
  const others: LinkCheck["others"] = (styles) => [
    ...checkAccountPages(judge, context),
    ...checkStyles(judge, styles),
    ...checkNamed(judge, context.named),
  ];
  const head: LinkCheck["head"] = (file) =>
    checkNamed(
      judge,
      context.named.filter((named) => named.file === file),
    );
  return { page, head, others };
}

function checkNamed({ judge }: Judge, named: readonly NamedTarget[]): readonly Fault[] {
  return named.flatMap(({ target, ...place }): Fault[] => {
    const wrong = judge(target, "/");
    const message = `link ${JSON.stringify(target)}: ${wrong}`;
    return wrong === undefined ? [] : [{ ...place, message }];
  });
}

function isSuspect({ page, outside }: FramedPage, { judge }: Judge): boolean {
  const { ids, targets, isFaulty } = page.facts;
  if (isFaulty) return true;
  for (const target of unpack(targets)) if (judge(target, page.path) !== undefined) return true;
  return shareText(ids, outside.ids);
}

/** Whether it leads to the same place from every page. */
function isOfSite(target: string): boolean {
  return target.startsWith("/") || /^https?:/.test(target);
}

/** A layout's links mean on each page what they mean there; the same wrong one is told once. */
function checkLayoutLinks(
  { page, outside }: FramedPage,
  { judge }: Judge,
  { templates }: LinkContext,
  told: Map<string, Fault>,
): void {
  for (const target of unpack(outside.targets)) {
    const wrong = judge(target, page.path);
    if (wrong === undefined || told.has(target)) continue;
    const message = `link ${JSON.stringify(target)}: ${wrong}`;
    told.set(target, { ...placeLinkInLayout(page, target, templates), message });
  }
}

function checkLayoutTags(
  { page, outside, mould }: FramedPage,
  { templates }: LinkContext,
  told: Map<string, Fault>,
): void {
  const messages = outside.isFaulty ? scanMarkup(mould.outside).faults.map(({ message }) => message) : [];
  for (const message of messages)
    if (!told.has(message)) told.set(message, { ...placeTagInLayout(page, message, templates), message });
  const bases = outside.isFaulty ? scanMarkup(mould.outside).links.filter(({ tag }) => tag === "base") : [];
  for (const { target } of bases) {
    const message = `link ${JSON.stringify(target)}: ${baseMessage}`;
    told.set(target, { ...placeLinkInLayout(page, target, templates), message });
  }
  // Put in twice, a body gives each of its ids twice.
  const bodies = mould.pieces.filter((piece) => !Buffer.isBuffer(piece) && piece.word === bodyWord).length;
  const [id] = unpack(page.facts.ids);
  if (bodies < 2 || id === undefined) return;
  const message = `the id ${JSON.stringify(id)} is given twice: the layout puts the body in twice`;
  if (!told.has(page.header.layout))
    told.set(page.header.layout, { ...placeTagInLayout(page, message, templates), message });
}

/** The links of account pages that are written out: what programs fill in is known only when they run. */
function checkAccountPages({ judge }: Judge, { templates }: LinkContext): readonly Fault[] {
  const accountPages = templates.filter(({ name }) => name.startsWith("account/"));
  return accountPages.flatMap(({ name, file, text, links }) =>
    links.flatMap((link): Fault[] => {
      if (link.target.includes("{{") || link.target.startsWith("#")) return [];
      const wrong = link.tag === "base" ? baseMessage : judge(link.target, `/${name}.cgi`);
      const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
      return wrong === undefined ? [] : [{ file, ...locate(text, link.offset), message }];
    }),
  );
}

function checkStyles({ judge }: Judge, styles: readonly Style[]): readonly Fault[] {
  return [...styles]
    .sort((a, b) => compareText(a.source.output, b.source.output))
    .flatMap(({ source, text }) =>
      readStyleLinks(text).flatMap((link): Fault[] => {
        const wrong = judge(link.target, addressOf(source.output));
        const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
        return wrong === undefined ? [] : [{ file: source.file, ...locate(text, link.offset), message }];
      }),
    );
}
