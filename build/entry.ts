/**
 * Which programs there are, one for each file of cgi/ and jobs/, and the few lines that each begins with: they hand its handler or job, what
 * is baked in, and what lies beside it to its front door. Called by bundle.ts.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../lib/util/failure.ts";
import { routes } from "../lib/util/routes.ts";
import { compareText } from "./fault.ts";
import type { Package } from "./package.ts";
import { type Bundle, bakedName, residentPath, searchPath } from "./programs.ts";
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

export interface Plan {
  readonly path: string;
  readonly kind: Bundle["kind"];
  readonly name: string;
}

export function planPrograms(home: Home): readonly Plan[] {
  const names = listCode(home, "cgi");
  for (const name of names)
    assert(
      routes.some((route) => route.name === name),
      `cgi/${name} has a route`,
    );
  const pages = routes.map(({ name, path }): Plan => {
    assert(names.includes(name), `the route ${path} has a program cgi/${name}`);
    return { path: `cgi${path}`, kind: "cgi", name };
  });
  const jobs = listCode(home, "jobs").filter((name) => name !== "run");
  const resident: Plan = { path: residentPath, kind: "servers", name: "resident" };
  return [...pages, ...jobs.map((name): Plan => ({ path: `jobs/${name}`, kind: "jobs", name })), resident];
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
export function writeEntry({ path, kind, name }: Plan, { codeFolder, codeEnding }: Home): string {
  const code = (...parts: readonly string[]): string =>
    JSON.stringify(join(codeFolder, ...parts) + codeEnding);
  const up = "../".repeat(path.split("/").length - 1);
  const beside = (file: string): string => `__dirname + ${JSON.stringify(`/${up}${file}`)}`;
  const addon = beside(addonPath);
  const cgiFiles = `{ addonFile: ${addon}, searchFile: ${beside(searchPath)} }`;
  if (kind === "servers") {
    const imports = routes.map((route, n) => `import { handle as h${n} } from ${code("cgi", route.name)};`);
    const handlers = routes.map((route, n) => `${JSON.stringify(route.name)}: h${n}`);
    const run = `import { runResident } from ${code("cgi", "support", "resident")};`;
    return [...imports, run, `runResident({ ${handlers.join(", ")} }, ${bakedName}, ${cgiFiles});`].join(
      "\n",
    );
  }
  const [member, run, runner, files] =
    kind === "cgi"
      ? ["handle", "runProgram", code("cgi", "support", "run"), cgiFiles]
      : ["job", "runJob", code("jobs", "run"), addon];
  return [
    `import { ${member} } from ${code(kind, name)};`,
    `import { ${run} } from ${runner};`,
    `${run}(${JSON.stringify(name)}, ${member}, ${bakedName}, ${files});`,
  ].join("\n");
}
