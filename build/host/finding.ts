/** What was looked at on a host, and how it is: the words of `site config check` and `site doctor`. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { inheritedHome, inheritedPath } from "../../lib/util/settings.ts";

export interface Finding {
  /** What was looked at, "front.conf" or "the certificate". */
  readonly what: string;
  readonly state: "right" | "wrong" | "skipped";
  /** How it is, what is wrong and what to do, or why it was not looked at. */
  readonly detail: string;
}

export const right = (what: string, detail = ""): Finding => ({ what, state: "right", detail });
export const wrong = (what: string, detail: string): Finding => ({ what, state: "wrong", detail });
export const skipped = (what: string, detail: string): Finding => ({ what, state: "skipped", detail });

export interface Ran {
  readonly status: number | null;
  readonly said: string;
}

/** Runs the first of these programs that there is; undefined where there is none. */
export function runFirst(
  programs: readonly string[],
  words: readonly string[],
  path = inheritedPath(),
): Ran | undefined {
  const program = programs.find((name) => !name.startsWith("/") || existsSync(name));
  if (program === undefined) return undefined;
  const env = { PATH: path, HOME: inheritedHome() };
  const { error, status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", env });
  if (error !== undefined) return undefined;
  return { status, said: `${stdout}${stderr}`.trim() };
}
