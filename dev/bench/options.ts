/** The words after `npm run bench --`, read and checked; wrong ones end the process with what would be right. */
import { parseArgs } from "node:util";
import type { Format } from "./corpus.ts";
import { type Phase, phases } from "./rounds.ts";

export interface Options {
  readonly what: (typeof kinds)[number];
  /** Of a night, and of the store. */
  readonly accounts: readonly number[];
  readonly sizes: readonly number[];
  /** undefined: as many as fit the size. */
  readonly rounds: number | undefined;
  readonly rebuilds: number;
  /** Names of builders; undefined: all that are usual. */
  readonly only: readonly string[] | undefined;
  readonly phases: readonly Phase[];
  readonly withEleventy: boolean;
  readonly format: Format;
  readonly folder: string | undefined;
  readonly json: boolean;
}

export const builderNames = [
  "picodollar",
  "picodollar compress",
  "picodollar search",
  "hugo",
  "hugo tuned",
  "node floor",
  "eleventy",
];

const kinds = ["build", "readers", "serve", "bill", "cgi", "store"] as const;

const usage = `usage: npm run bench -- build [--pages 100,1000,10000] [--rounds N] [--only NAME,...]
         [--phases ${phases.join(",")}] [--markdown] [--with eleventy] [--folder DIR] [--json]
       npm run bench -- serve [--pages 100,1000,10000] [--rounds 15] [--only picodollar,hugo] [--folder DIR] [--json]
       npm run bench -- readers [--rebuilds 100] [--pages 1000] [--only NAME,...] [--folder DIR] [--json]
       npm run bench -- bill [--accounts 1000,100000,1000000] [--rounds N] [--folder DIR] [--json]
       npm run bench -- store [--accounts 10000] [--rounds 200] [--folder DIR] [--json]
       npm run bench -- cgi [--rounds 60] [--folder DIR] [--json]
names: ${builderNames.join(", ")}`;

export function readOptions(words: readonly string[]): Options {
  const { values, positionals } = parseWords(words);
  const [word, ...more] = positionals;
  const what = kinds.find((kind) => kind === word);
  if (what === undefined || more.length > 0) return fail("say what to measure");
  if (values.with !== undefined && values.with !== "eleventy")
    fail(`--with: "${values.with}" is not known; there is eleventy`);
  const withEleventy = values.with === "eleventy";
  const only = values.only?.split(",").map((name) => readOne("only", builderNames, name.trim()));
  if (only?.includes("eleventy") && !withEleventy) fail("--only eleventy: it needs --with eleventy too");
  const served = ["picodollar", "hugo"];
  const cannotServe = what === "serve" ? only?.find((name) => !served.includes(name)) : undefined;
  if (cannotServe !== undefined) fail(`${cannotServe}: its server is not known here`);
  if (what === "readers" && only?.includes("node floor")) fail("node floor: it makes no pages to read");
  return {
    what,
    accounts: readCounts("accounts", values.accounts ?? (what === "store" ? "10000" : "1000,100000")),
    sizes: readCounts("pages", values.pages ?? (what === "readers" ? "1000" : "100,1000,10000")),
    rounds: values.rounds === undefined ? undefined : readCount("rounds", values.rounds),
    rebuilds: readCount("rebuilds", values.rebuilds ?? "100"),
    only:
      only ??
      { build: undefined, readers: ["picodollar"], serve: served, bill: [], cgi: [], store: [] }[what],
    phases: values.phases?.split(",").map((name) => readOne("phases", phases, name)) ?? phases,
    withEleventy,
    format: values.markdown ? "markdown" : "html",
    folder: values.folder,
    json: values.json === true,
  };
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        pages: { type: "string" },
        accounts: { type: "string" },
        rounds: { type: "string" },
        rebuilds: { type: "string" },
        only: { type: "string" },
        phases: { type: "string" },
        with: { type: "string" },
        folder: { type: "string" },
        markdown: { type: "boolean" },
        json: { type: "boolean" },
      },
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function readOne<Known extends string>(option: string, known: readonly Known[], name: string): Known {
  return known.find((one) => one === name) ?? fail(`--${option}: there is no "${name}"`);
}

function readCounts(option: string, text: string): readonly number[] {
  return text.split(",").map((word) => readCount(option, word));
}

function readCount(option: string, word: string): number {
  const count = Number(word);
  return Number.isInteger(count) && count > 0
    ? count
    : fail(`--${option}: "${word}" is not a whole number above 0`);
}

function fail(message: string): never {
  console.error(`${message}\n${usage}`);
  process.exit(64);
}
