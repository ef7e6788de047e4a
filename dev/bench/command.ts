/**
 * One command, run and measured: wall time here, processor time and memory by GNU time, system calls by strace, one
 * processor by taskset. A tool that is not installed leaves its figures out; findTools says so.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { performance } from "node:perf_hooks";
import { inheritedPath } from "../../lib/util/settings.ts";

export interface Tools {
  readonly time: boolean;
  readonly strace: boolean;
  readonly taskset: boolean;
}

export interface Sample {
  readonly wallMs: number;
  /** User and system time of the process and of those it waited for. */
  readonly processorSeconds?: number;
  /** Most memory that the largest one process held at once. */
  readonly memoryMiB?: number;
}

export interface Task {
  readonly folder: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export interface Ended {
  readonly ok: boolean;
  readonly output: string;
}

/** Which tools are there, and a line for each that is not. */
export function findTools(): { readonly tools: Tools; readonly missing: readonly string[] } {
  const answers = (...command: string[]): string => {
    const { ok, output } = run({ folder: tmpdir(), command });
    return ok ? output : "";
  };
  const tools: Tools = {
    time: /GNU/.test(answers("time", "--version")),
    // Where tracing is forbidden it is installed for nothing.
    strace: answers("strace", "-f", "-c", "-U", "calls,name", "true").includes("total"),
    taskset: answers("taskset", "-c", "0", "echo", "pinned").includes("pinned"),
  };
  const missing = [
    ...(tools.time ? [] : ["GNU time is not installed: no memory, no processor time"]),
    ...(tools.strace ? [] : ["strace is not installed or may not trace: no system calls"]),
    ...(tools.taskset ? [] : ["taskset is not installed: 100 pages are not built on one processor"]),
  ];
  return { tools, missing };
}

export function run({ folder, command, environment }: Task): Ended {
  const [program = "", ...words] = command;
  const result = spawnSync(program, words, {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: inheritedPath(), ...environment },
    maxBuffer: 1 << 28,
  });
  return { ok: result.status === 0, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/** Runs a task, on one processor if `onOne`. `note` is a file that nothing else uses. */
export function measure(
  task: Task,
  tools: Tools,
  note: string,
  onOne: boolean,
): { readonly ended: Ended; readonly sample: Sample } {
  const timed = tools.time ? ["time", "-f", "%U %S %M", "-o", note, ...task.command] : task.command;
  const command = onOne && tools.taskset ? ["taskset", "-c", "0", ...timed] : timed;
  const startedAt = performance.now();
  const ended = run({ ...task, command });
  const wallMs = performance.now() - startedAt;
  return { ended, sample: { wallMs, ...(tools.time ? readTime(note) : {}) } };
}

/** Its last line: before it there may be one about the exit code. */
function readTime(note: string): Omit<Sample, "wallMs"> {
  const last = readFileSync(note, "utf8").trim().split("\n").at(-1) ?? "";
  rmSync(note);
  const [user = Number.NaN, system = Number.NaN, kibibytes = Number.NaN] = last.split(" ").map(Number);
  return { processorSeconds: user + system, memoryMiB: kibibytes / 1024 };
}

/** All system calls of a task and its children; undefined where they cannot be counted. */
export function countSystemCalls(task: Task, tools: Tools, note: string): number | undefined {
  if (!tools.strace) return undefined;
  const command = ["strace", "-f", "-c", "-U", "calls,name", "-o", note, ...task.command];
  if (!run({ ...task, command }).ok) return undefined;
  const total = /^\s*(\d+)\s+total$/m.exec(readFileSync(note, "utf8"))?.[1];
  rmSync(note);
  return total === undefined ? undefined : Number(total);
}
