/**
 * The stages of a build, for those who wait for it and those who want it quicker: how long each took, and how far the
 * one is that runs now. Called by the modules that do the work; told to whoever called the builder.
 */
import { runningMs } from "../lib/util/clock.ts";

export interface Stage {
  /** What is done in it, "reading pages". */
  readonly name: string;
  /** To a tenth. */
  readonly ms: number;
}

/** Hears of a stage that begins (then `done` is 0), and now and then how much of it is done. */
export type OnStage = (name: string, done: number, all: number) => void;

export interface Stages {
  /** Begins a stage, and ends the one before. `all`: how many steps it has, if anybody knows. */
  readonly begin: (name: string, all?: number) => void;
  /** Another step of it is done. Costs next to nothing, for loops over all pages. */
  readonly step: () => void;
  /** Ends the last one. In their order; what was begun several times has all its time in the first place. */
  readonly end: () => readonly Stage[];
}

/** Whoever listens is told after so many steps. */
const telling = 64;

export function makeStages(onStage: OnStage = () => undefined): Stages {
  const times = new Map<string, number>();
  let [current, all, done, sinceMs] = ["", 0, 0, runningMs()];
  const finish = (): void => {
    const nowMs = runningMs();
    if (current !== "") times.set(current, (times.get(current) ?? 0) + nowMs - sinceMs);
    sinceMs = nowMs;
  };
  return {
    begin: (name, count = 0) => {
      finish();
      [current, all, done] = [name, count, 0];
      onStage(name, 0, all);
    },
    step: () => {
      done += 1;
      if (done % telling === 0) onStage(current, done, all);
    },
    end: () => {
      finish();
      current = "";
      return [...times].map(([name, ms]) => ({ name, ms: Math.round(10 * ms) / 10 }));
    },
  };
}
