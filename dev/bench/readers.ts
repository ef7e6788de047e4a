/**
 * `npm run bench -- readers`: a visitor reads pages all the time while the site is rebuilt, a tenth of its pages
 * changed each time. A site that is replaced in one step shows neither missing pages nor cut ones. Called by main.ts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { inheritedPath } from "../../lib/util/settings.ts";
import { type Builder, layDownSite } from "./builders.ts";
import { run } from "./command.ts";
import { findDifference } from "./compare.ts";
import type { Corpus } from "./corpus.ts";
import type { Seen } from "./reader.ts";

export interface ReadersResult extends Seen {
  readonly name: string;
  readonly pages: number;
  readonly rebuilds: number;
  readonly seconds: number;
}

const changedInEach = 10;
// A rebuild that hangs must not leave a reader behind for ever.
const limitSeconds = 3600;

export async function benchReaders(
  builder: Builder,
  corpus: Corpus,
  rebuilds: number,
  home: string,
): Promise<ReadersResult> {
  const folder = join(home, builder.name.replaceAll(" ", "-"));
  layDownSite(builder, folder, corpus, "html");
  build(builder, folder);
  const list = join(home, "paths.json");
  writeFileSync(list, JSON.stringify(corpus.pages.map(({ path }) => path)));
  const reader = startReader(join(folder, builder.output), list);
  const told = collect(reader);
  const startedAt = performance.now();
  const revisions = corpus.pages.map(() => 0);
  try {
    for (let rebuild = 1; rebuild <= rebuilds; rebuild += 1) {
      for (const [place, page] of corpus.pages.entries()) {
        if (place % changedInEach !== rebuild % changedInEach) continue;
        revisions[place] = rebuild;
        builder.putPage(folder, corpus, page, "html", rebuild);
      }
      build(builder, folder);
    }
  } finally {
    reader.stdin?.end();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const seen = JSON.parse(await told) as Seen;
  for (const [place, page] of corpus.pages.entries()) {
    const difference = findDifference(builder, folder, corpus, page, "html", revisions[place] ?? 0);
    if (difference !== undefined) throw new Error(difference);
  }
  return { name: builder.name, pages: corpus.pages.length, rebuilds, seconds, ...seen };
}

export function showReaders(result: ReadersResult): string {
  const { name, pages, rebuilds, seconds, reads, missing, cut, examples } = result;
  const head = `${name}: ${rebuilds} rebuilds of ${pages} pages in ${seconds.toFixed(1)} s, ${reads} reads`;
  return [`${head}: ${missing} missing, ${cut} cut`, ...examples.map((line) => `  ${line}`)].join("\n");
}

function build({ name, command, environment }: Builder, folder: string): void {
  const { ok, output } = run({ folder, command, environment });
  if (!ok) throw new Error(`${name} failed:\n${output.slice(0, 3000)}`);
}

function startReader(documents: string, list: string): ChildProcess {
  const program = fileURLToPath(new URL("reader.js", import.meta.url));
  return spawn(process.execPath, [program, documents, list, String(limitSeconds)], {
    env: { PATH: inheritedPath() },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

function collect(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`the reader ended with ${code}`)),
    );
  });
}
