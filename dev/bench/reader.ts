/**
 * The reader of `npm run bench -- readers`, a process of its own: reads page after page of a site through the link
 * that a web server follows, while the site is rebuilt. Ends when its standard input does, or after the limit, and
 * prints what it saw as JSON. Arguments: folder of the documents, file with their paths as JSON, limit in seconds.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

export interface Seen {
  reads: number;
  /** Pages that were not there. */
  missing: number;
  /** Pages without their beginning or their end. */
  cut: number;
  /** The first of them. */
  readonly examples: string[];
}

const readsAtOnce = 200;
const mostExamples = 5;

/** Reads one page and counts what is wrong with it. */
export function readOne(folder: string, path: string, seen: Seen): void {
  seen.reads += 1;
  const document = readIfThere(join(folder, path));
  const isWhole = document?.startsWith("<!doctype html>") && document.trimEnd().endsWith("</html>");
  if (isWhole) return;
  if (document === undefined) seen.missing += 1;
  else seen.cut += 1;
  if (seen.examples.length < mostExamples)
    seen.examples.push(`${path}: ${document === undefined ? "missing" : `${document.length} characters`}`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Whatever the reason, a visitor would get no page.
    return undefined;
  }
}

function readUntilTold(folder: string, paths: readonly string[], limitMs: number): void {
  const seen: Seen = { reads: 0, missing: 0, cut: 0, examples: [] };
  const endsAt = performance.now() + limitMs;
  let isTold = false;
  process.stdin.on("end", () => {
    isTold = true;
  });
  process.stdin.resume();
  let next = 0;
  const readSome = (): void => {
    for (let count = 0; count < readsAtOnce; count += 1) {
      readOne(folder, paths[next % paths.length] ?? "", seen);
      next += 1;
    }
    if (!isTold && performance.now() < endsAt) setImmediate(readSome);
    else process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
  };
  readSome();
}

const [, program = "", folder, list, limitSeconds] = process.argv;
if (/[\\/]reader\.[jt]s$/.test(program) && folder !== undefined && list !== undefined)
  readUntilTold(folder, JSON.parse(readFileSync(list, "utf8")) as string[], Number(limitSeconds) * 1000);
