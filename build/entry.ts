/**
 * Which programs there are, one for each file of cgi/ and jobs/, and the few lines that each begins with: they hand its handler or job, what
 * is baked in, and what lies beside it to its front door. Jobs share scripts, since most of their code is the same, and they are started
 * a few times a night, pages all day long. Called by bundle.ts.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../lib/util/failure.ts";
import { needsOf } from "../lib/util/jobs.ts";
import { routes } from "../lib/util/routes.ts";
import type { Bundle } from "./bundles.ts";
import { compareText } from "./fault.ts";
import { bakedName, calledName } from "./launcher.ts";
import type { Package } from "./package.ts";
import { searchPath } from "./programs.ts";
import { addonPath } from "./release.ts";

export type Home = Pick<Package, "codeFolder" | "codeEnding">;

/** How esbuild makes the text of a program, and of what is put before one: the same of the same sources, wherever they lie. */
export const programOptions = {
  bundle: true,
  write: false,
  // Never used as a folder: outputs stay in memory, and their names begin with it.
  outdir: "/release",
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  charset: "ascii",
  legalComments: "none",
  // A tsconfig.json of the folder must not change what is built from the same sources.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: "es2023" } },
  logLevel: "silent",
} as const;

/** A bundle that is to be made. */
export type Plan = Omit<Bundle, "code" | "templates">;

export function planPrograms(home: Home): readonly Plan[] {
  const names = listCode(home, "cgi");
  for (const name of names)
    assert(
      routes.some((route) => route.name === name),
      `cgi/${name} has a route`,
    );
  const pages = routes.map(({ name, path }): Plan => {
    assert(names.includes(name), `the route ${path} has a program cgi/${name}`);
    return { name, kind: "cgi", paths: [`cgi${path}`] };
  });
  const resident: Plan = { name: "resident", kind: "servers", paths: ["servers/programs"] };
  return [...pages, ...groupJobs(listCode(home, "jobs").filter((name) => name !== "run")), resident];
}

/** Those that read the same secrets use the same libraries: Stripe's and mail's are most of what they weigh. */
function groupJobs(names: readonly string[]): readonly Plan[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const key = needsOf(name).secrets.join(" ");
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].map(([secrets, group]): Plan => {
    const name = secrets === "" ? "jobs" : `jobs-${group.join("-")}`;
    return { name, kind: "jobs", paths: group.map((job) => `jobs/${job}`) };
  });
}

function listCode(home: Home, folder: string): readonly string[] {
  const files = readdirSync(join(home.codeFolder, folder), { withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  // "login.d.ts" and "login.test.ts" are no programs.
  const names = files.map(({ name }) => name).filter((name) => name.endsWith(home.codeEnding));
  return names
    .map((name) => name.slice(0, -home.codeEnding.length))
    .filter((name) => !name.includes("."))
    .sort(compareText);
}

/** The text of an entry, in JavaScript. */
export function writeEntry({ name, kind, paths }: Plan, home: Home): string {
  const code = (...parts: readonly string[]): string =>
    JSON.stringify(join(home.codeFolder, ...parts) + home.codeEnding);
  const up = "../".repeat((paths[0] ?? "").split("/").length - 1);
  const beside = (file: string): string => `__dirname + ${JSON.stringify(`/${up}${file}`)}`;
  const addon = beside(addonPath);
  if (kind === "servers") {
    const imports = routes.map((route, n) => `import { handle as h${n} } from ${code("cgi", route.name)};`);
    const handlers = routes.map((route, n) => `${JSON.stringify(route.name)}: h${n}`);
    const tools = `import { resolve } from "node:path"; import { runResident } from ${code("cgi", "support", "resident")};`;
    // It outlives releases: pages that came later are found, and its own may be cleared away, when no path leads through it.
    const served = `resolve(__dirname, ${JSON.stringify(`../${up}../current/${searchPath}`)})`;
    const files = `{ addonFile: ${addon}, searchFiles: [${served}, ${beside(searchPath)}] }`;
    return [...imports, tools, `runResident({ ${handlers.join(", ")} }, ${bakedName}, ${files});`].join("\n");
  }
  if (kind === "jobs") {
    // Each brings its own libraries along: only those of the one that is called are loaded.
    const jobs = paths.map((path) => path.slice("jobs/".length));
    const all = jobs.map((job) => `${JSON.stringify(job)}: () => import(${code("jobs", job)})`);
    return [
      `import { runJob } from ${code("jobs", "run")};`,
      `const all = { ${all.join(", ")} };`,
      `all[${calledName}]().then(({ job }) => runJob(${calledName}, job, ${bakedName}, ${addon}))`,
      // A bug, as runJob has it.
      ".catch((error) => { console.error(error); process.exit(70); });",
    ].join("\n");
  }
  return [
    `import { handle } from ${code("cgi", name)};`,
    `import { runProgram } from ${code("cgi", "support", "run")};`,
    `runProgram(${JSON.stringify(name)}, handle, ${bakedName}, { addonFile: ${addon}, searchFiles: [${beside(searchPath)}] });`,
  ].join("\n");
}
