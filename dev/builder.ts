/**
 * A site for the development server: its pages as they are asked for, from memory, and whole builds in a process of their own, which
 * take longer and keep nobody waiting. Called by dev/serve.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, type BuildResult, buildSite, openPreview, type Preview } from "../build/build.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import type { Order, Report } from "./child.ts";
import { ended } from "./jobs.ts";

export interface Builder {
  /** Undefined where only releases are shown. */
  readonly preview: Preview | undefined;
  /** One call at a time. */
  readonly build: () => Promise<BuildResult>;
  readonly close: () => Promise<void>;
}

/** @param codeFolder where the compiled code lies; without it builds run in this process */
export function openBuilder(options: BuildOptions, codeFolder: string): Builder {
  const preview = openPreview(options);
  const code = join(codeFolder, "dev", "child.js");
  let child: ChildProcess | undefined;
  const build = async (): Promise<BuildResult> => {
    if (!existsSync(code)) return buildSite(options);
    if (child?.connected !== true) child = fork(code);
    return order(child, options);
  };
  const close = async (): Promise<void> => {
    preview.close();
    if (child !== undefined) await ended(child);
  };
  return { preview, build, close };
}

async function order(child: ChildProcess, options: BuildOptions): Promise<BuildResult> {
  const { sourceFolder, outFolder, drafts = false, future = false } = options;
  const wanted: Order = { sourceFolder, outFolder, drafts, future };
  child.send(wanted);
  const report = await hear(child);
  if ("result" in report) return report.result;
  const { name, message, stack } = report.failure;
  if (name === "NeedsHuman") throw new NeedsHuman(message);
  if (name === "TryLater") throw new TryLater(message);
  throw Object.assign(new Error(message), { stack });
}

async function hear(child: ChildProcess): Promise<Report> {
  const gone = new AbortController();
  const onExit = (): void => gone.abort(new Error("the process that builds has ended"));
  child.once("exit", onExit);
  try {
    const [report] = (await once(child, "message", gone)) as [Report];
    return report;
  } catch (cause) {
    throw gone.signal.aborted ? gone.signal.reason : cause;
  } finally {
    child.off("exit", onExit);
  }
}
