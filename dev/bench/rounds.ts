/**
 * All builders over one corpus, in turns, so that what else the machine does falls on all of them: cold builds, then
 * in pairs a build with nothing changed and one with one page changed. Every builder's documents are compared with
 * the expected ones after its first build and again at the end, so after all the changes. Called by main.ts.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Builder, layDownSite } from "./builders.ts";
import { countSystemCalls, type Ended, measure, run, type Sample, type Task, type Tools } from "./command.ts";
import { countTouched, findDifference, snapshot } from "./compare.ts";
import type { Corpus, CorpusPage, Format } from "./corpus.ts";

export const phases = ["cold", "again", "change"] as const;
export type Phase = (typeof phases)[number];

export interface Plan {
  readonly corpus: Corpus;
  readonly format: Format;
  readonly builders: readonly Builder[];
  readonly rounds: number;
  readonly phases: readonly Phase[];
  /** An empty folder, for the sites. */
  readonly home: string;
  readonly tools: Tools;
  /** Says how far it is. */
  readonly say: (line: string) => void;
}

/** What was measured of one builder. */
export interface Row {
  readonly name: string;
  readonly cold: Sample[];
  readonly again: Sample[];
  readonly change: Sample[];
  /** Of each pair, what the change took more than nothing did. */
  readonly aboveAgainMs: number[];
  /** Most files touched by a build with nothing changed. */
  touched: number | undefined;
  systemCallsPerPage: number | undefined;
  /** Why it was left out. */
  skipped: string | undefined;
}

export interface SizeResult {
  readonly pages: number;
  readonly format: Format;
  readonly rounds: number;
  readonly onOneProcessor: boolean;
  readonly rows: readonly Row[];
}

interface Contestant {
  readonly builder: Builder;
  readonly task: Task;
  readonly row: Row;
  /** Names at the top of its folder that were laid down; all else a build made. */
  readonly own: ReadonlySet<string>;
  /** How often each page was changed, by its place in the corpus. */
  readonly revisions: Map<number, number>;
}

// A builder that keeps releases or the like is measured when it has as many as it keeps.
const unmeasuredChanges = 3;
// To a builder that goes by times, sources that are as old as its last build are as good as changed.
const restMs = 2500;
// Where this is all that is built, start-up is most of it, and a second processor hides a part of that.
const mostPagesOnOne = 100;
const mostPagesTraced = 10_000;

export function benchSize(plan: Plan): SizeResult {
  const { corpus, format, rounds, tools } = plan;
  const wants = (phase: Phase): boolean => plan.phases.includes(phase);
  const contestants = plan.builders.map((builder) => enter(builder, plan));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, restMs);
  for (let round = 0; round < (wants("cold") ? rounds : 1); round += 1)
    for (const one of inPlay(contestants)) buildCold(one, plan, round);
  if (wants("change"))
    for (const one of inPlay(contestants).filter(({ builder }) => builder.isIncremental))
      for (let count = 0; count < unmeasuredChanges; count += 1) buildChanged(one, plan, count);
  if (wants("again") || wants("change"))
    for (let round = 0; round < rounds; round += 1)
      for (const one of inPlay(contestants)) buildPair(one, plan, round);
  for (const one of inPlay(contestants)) compareAll(one, plan);
  if (wants("cold") && corpus.pages.length <= mostPagesTraced)
    for (const one of inPlay(contestants)) trace(one, plan);
  for (const { task } of contestants) rmSync(task.folder, { recursive: true, force: true });
  const onOneProcessor = isOnOne(plan) && tools.taskset;
  return {
    pages: corpus.pages.length,
    format,
    rounds,
    onOneProcessor,
    rows: contestants.map(({ row }) => row),
  };
}

function enter(builder: Builder, plan: Plan): Contestant {
  const folder = join(plan.home, builder.name.replaceAll(" ", "-"));
  plan.say(`${builder.name}: laying down ${plan.corpus.pages.length} pages`);
  mkdirSync(folder, { recursive: true });
  layDownSite(builder, folder, plan.corpus, plan.format);
  return {
    builder,
    task: { folder, command: builder.command, environment: builder.environment },
    row: {
      name: builder.name,
      cold: [],
      again: [],
      change: [],
      aboveAgainMs: [],
      touched: undefined,
      systemCallsPerPage: undefined,
      skipped: undefined,
    },
    own: new Set(readdirSync(folder)),
    revisions: new Map(),
  };
}

function inPlay(contestants: readonly Contestant[]): readonly Contestant[] {
  return contestants.filter(({ row }) => row.skipped === undefined);
}

function isOnOne(plan: Plan): boolean {
  return plan.corpus.pages.length <= mostPagesOnOne;
}

/** Removes all that a build made, wherever in its folder it keeps things. */
function clear({ task, own }: Contestant): void {
  for (const name of readdirSync(task.folder))
    if (!own.has(name)) rmSync(join(task.folder, name), { recursive: true, force: true });
}

function buildCold(one: Contestant, plan: Plan, round: number): void {
  clear(one);
  plan.say(`${one.builder.name}: cold, round ${round + 1}`);
  const { ended, sample } = measure(one.task, plan.tools, noteOf(one), isOnOne(plan));
  if (!ended.ok && one.builder.mayRefuse?.test(ended.output)) {
    one.row.skipped = ended.output.trim().split("\n")[0] ?? "refused";
    return;
  }
  insistOnBuild(one, ended);
  if (plan.phases.includes("cold")) one.row.cold.push(sample);
  if (round === 0) compareAll(one, plan);
}

/** Nothing changed, then one page changed, one right after the other. */
function buildPair(one: Contestant, plan: Plan, round: number): void {
  plan.say(`${one.builder.name}: nothing changed, one page changed, round ${round + 1}`);
  const made = join(one.task.folder, one.builder.made);
  const before = snapshot(made);
  const again = measureBuild(one, plan);
  const touched = countTouched(before, snapshot(made));
  if (plan.phases.includes("again")) {
    one.row.again.push(again);
    one.row.touched = Math.max(one.row.touched ?? 0, touched);
  }
  if (!plan.phases.includes("change")) return;
  const change = buildChanged(one, plan, unmeasuredChanges + round);
  one.row.change.push(change);
  one.row.aboveAgainMs.push(change.wallMs - again.wallMs);
}

/** Changes a word of one page, another one each time, and builds; the new word must be in its document. */
function buildChanged(one: Contestant, plan: Plan, count: number): Sample {
  const { builder, task, revisions } = one;
  const { corpus, format } = plan;
  // A prime step, so that the pages lie far apart.
  const place = ((count + 1) * 7919) % corpus.pages.length;
  const page = corpus.pages[place] as CorpusPage;
  const revision = (revisions.get(place) ?? 0) + 1;
  revisions.set(place, revision);
  builder.putPage(task.folder, corpus, page, format, revision);
  const sample = measureBuild(one, plan);
  insist(findDifference(builder, task.folder, corpus, page, format, revision));
  return sample;
}

function measureBuild(one: Contestant, plan: Plan): Sample {
  const { ended, sample } = measure(one.task, plan.tools, noteOf(one), isOnOne(plan));
  insistOnBuild(one, ended);
  return sample;
}

function insistOnBuild({ builder }: Contestant, { ok, output }: Ended): void {
  if (!ok) throw new Error(`${builder.name} failed:\n${output.slice(0, 3000)}`);
}

function compareAll({ builder, task, revisions }: Contestant, { corpus, format }: Plan): void {
  for (const [place, page] of corpus.pages.entries())
    insist(findDifference(builder, task.folder, corpus, page, format, revisions.get(place) ?? 0));
}

function insist(difference: string | undefined): void {
  if (difference !== undefined) throw new Error(difference);
}

/** A cold build of its own, for tracing slows it down several times. */
function trace(one: Contestant, plan: Plan): void {
  clear(one);
  plan.say(`${one.builder.name}: counting system calls`);
  const calls = countSystemCalls(one.task, plan.tools, noteOf(one));
  one.row.systemCallsPerPage = calls === undefined ? undefined : calls / plan.corpus.pages.length;
}

/** Beside its folder, so that a cold build does not find it. */
function noteOf({ task }: Contestant): string {
  return `${task.folder}.note`;
}

/** The first line of what a builder says of its version; undefined if it is not installed. */
export function readVersion({ versionCommand, environment }: Builder, folder: string): string | undefined {
  const { ok, output } = run({ folder, command: versionCommand, environment });
  return ok ? (output.trim().split("\n")[0] ?? "") : undefined;
}
