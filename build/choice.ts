/**
 * Which pages are published: drafts are not, nor those whose date has not come. What is left out is read and
 * checked by itself all the same, so that its faults are known before its day.
 */
import type { DayUtc } from "../lib/util/clock.ts";
import type { Page } from "./page.ts";

export interface Choice {
  readonly today: DayUtc;
  /** Whether drafts, and pages of days to come, are published as well. */
  readonly drafts: boolean;
  readonly future: boolean;
  /** For whoever compares pages with their sources: nothing is put into them. */
  readonly isPlain?: boolean;
}

/** The days on which the same pages are chosen: from the first one, and before the other; "" where there is no limit. */
export interface Span {
  readonly from: string;
  readonly until: string;
}

export interface Chosen {
  readonly pages: readonly Page[];
  readonly drafts: readonly Page[];
  readonly future: readonly Page[];
  readonly span: Span;
}

export function choosePages(pages: readonly Page[], choice: Choice): Chosen {
  const drafts = choice.drafts ? [] : pages.filter(({ header }) => header.draft);
  const others = drafts.length === 0 ? pages : pages.filter((page) => !drafts.includes(page));
  if (choice.future) return { pages: others, drafts, future: [], span: { from: "", until: "" } };
  const isComing = ({ header }: Page): boolean => header.date > choice.today;
  const future = others.filter(isComing);
  const published = future.length === 0 ? others : others.filter((page) => !isComing(page));
  const from = published.reduce((last, { header }) => (header.date > last ? header.date : last), "");
  const until = future.map(({ header }) => header.date).sort()[0] ?? "";
  return { pages: published, drafts, future, span: { from, until } };
}

/** Whether the same pages are chosen on another day. */
export function isWithin({ from, until }: Span, today: DayUtc): boolean {
  return today >= from && (until === "" || today < until);
}

/** Why there is no page at an output, for whoever links to it. */
export function explainLeftOut({ drafts, future }: Chosen, output: string): string | undefined {
  const isThere = ({ source }: Page): boolean => source.output === output;
  if (drafts.some(isThere)) return "this page is a draft, which is not published";
  const page = future.find(isThere);
  return page === undefined ? undefined : `this page is published on ${page.header.date}, and not before`;
}
