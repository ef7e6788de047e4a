/**
 * What programs load late, and seldom, from a file of its own in the release: it would be most of their code, of several of them, for the
 * few requests that ask for it. Called by bundle.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { sha256Hex } from "../lib/util/digest.ts";
import type { Bundle } from "./bundles.ts";
import { type Home, programOptions } from "./entry.ts";
import { nameScript, releaseName, scriptPath } from "./launcher.ts";

/** The list of common passwords, which four programs look at when one is chosen, and none before: a file for all of them. */
export async function bundleLibraries({ codeFolder }: Home): Promise<readonly Bundle[]> {
  // A package of fewer programs, as tests have, may have no passwords at all.
  if (!existsSync(join(codeFolder, "lib", "accounts"))) return [];
  const { outputFiles } = await build({
    stdin: { contents: 'export { dictionary } from "@zxcvbn-ts/language-common";', resolveDir: codeFolder },
    ...programOptions,
  });
  const code = Buffer.from(outputFiles[0]?.text ?? "");
  return [{ name: "words", kind: "library", paths: [], templates: [], code }];
}

/** What programs load from a file beside them: `words`, where there is one. */
export function makeLate([words]: readonly Bundle[]): Plugin {
  return {
    name: "picodollar-library",
    setup(bundler) {
      if (words === undefined) return;
      const path = JSON.stringify(`/${scriptPath(nameScript(words.name, sha256Hex(words.code)))}`);
      bundler.onResolve({ filter: /^@zxcvbn-ts\/language-common$/ }, () => ({
        path: words.name,
        namespace: "library",
      }));
      bundler.onLoad({ filter: /.*/, namespace: "library" }, () => ({
        contents: `module.exports = require(${releaseName} + ${path});`,
        loader: "js",
      }));
    },
  };
}

/** The beginning of a program that stays: its release may be gone when somebody chooses a password, so the list is loaded at once. */
export function loadAtStart(libraries: readonly Bundle[]): string {
  return libraries.length === 0 ? "" : 'import "@zxcvbn-ts/language-common";\n';
}
