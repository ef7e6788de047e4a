/** `site warm`: keeps what V8 makes of the programs of the release, so that they start sooner; and says how each starts. */
import type { Command } from "commander";
import type { Warmed } from "../build/warm.ts";
import { systemClock } from "../lib/util/clock.ts";
import { makeProgress } from "./progress.ts";
import { usualSource } from "./release.ts";

interface WarmFlags {
  readonly source: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function addWarmCommand(program: Command): void {
  program
    .command("warm")
    .description(
      "keep the compiled code of the release's programs on this machine, so that they start sooner",
    )
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option("--json", "print what was kept as JSON")
    .action(async ({ source, out, json = false }: WarmFlags) => {
      const { warmRelease } = await import("../build/warm.ts");
      const { findOutFolder } = await import("../build/host/place.ts");
      const progress = makeProgress(!json);
      const onProgram = (name: string, done: number, all: number): void =>
        progress.show(`warming ${name}: ${done} of ${all}`);
      const warmed = await warmRelease({
        outFolder: findOutFolder(source, out),
        clock: systemClock,
        onProgram,
      });
      progress.clear();
      if (json) console.log(JSON.stringify(warmed));
      else for (const line of describe(warmed)) console.log(line);
    });
}

/** A line for each program, the ones that start quickest first. */
function describe(warmed: readonly Warmed[]): readonly string[] {
  const width = Math.max(...warmed.map(({ name }) => name.length));
  const lines = [...warmed].sort(
    (a, b) => a.loaded.length - b.loaded.length || a.scriptBytes - b.scriptBytes,
  );
  const kilo = (bytes: number): string => `${Math.round(bytes / 1000)} KB`.padStart(7);
  return lines.map(
    ({ name, scriptBytes, cacheBytes, loaded }) =>
      `${name.padEnd(width)} ${kilo(scriptBytes)}, kept ${kilo(cacheBytes)}, starts ${startClass(loaded)}`,
  );
}

/** How a program starts, by what it loads of Node's own besides an empty program. */
function startClass(loaded: readonly string[]): string {
  if (loaded.length === 0) return "like an empty program";
  if (loaded.includes("https")) return `with a client for https (${loaded.length} modules)`;
  return `with ${loaded.includes("crypto") ? "cryptography" : loaded[0]} (${loaded.length} modules)`;
}
