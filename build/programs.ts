/**
 * The programs of a release: the code of each file of cgi/ and of each job, with the site's settings, navigation,
 * and compiled templates put before it. One file each, which needs nothing but Node and the native addon.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { NavSection } from "../lib/util/navigation.ts";
import { findRoute, isOffered } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import type { Package } from "./package.ts";
import type { Template } from "./template.ts";

export interface Program {
  /** Path in the release, "cgi/account/login.cgi" or "jobs/bill". */
  readonly path: string;
  readonly text: string;
}

export interface ProgramOptions {
  readonly home: Pick<Package, "codeFolder" | "codeEnding">;
  readonly settings: Settings;
  readonly navigation: readonly NavSection[];
  readonly templates: readonly Template[];
}

/** The code of one program, which refers to the name `bakedName`. */
export interface Bundle {
  /** Path in the release. */
  readonly path: string;
  readonly kind: "cgi" | "jobs";
  readonly code: string;
}

/** Undeclared in a bundle: its value is put before it here. */
export const bakedName = "__picodollar_baked__";

/** Where the index of the pages lies in the release of a site with a search; programs find it from where they lie. */
export const searchPath = "search/pages.sqlite";

/** Where set-up leaves the bundles, beside the compiled code. */
export const bundlesName = "programs.json";

/** Makes every program that the site has, in the order of their paths. */
export async function buildPrograms(options: ProgramOptions): Promise<readonly Program[]> {
  const bundles = (await findBundles(options.home)).filter(({ path }) => {
    const route = findRoute(path.replace(/^cgi/, ""));
    return route === undefined || isOffered(route, options.settings);
  });
  const baked = { cgi: writeBaked(options, /^/), jobs: writeBaked(options, /^mail\//) };
  return bundles.map(({ path, kind, code }) => ({
    path,
    text: `#!/usr/bin/env node\n"use strict";var ${bakedName}=${baked[kind]};\n${code}`,
  }));
}

async function findBundles(home: ProgramOptions["home"]): Promise<readonly Bundle[]> {
  const made = join(home.codeFolder, bundlesName);
  if (existsSync(made)) return JSON.parse(readFileSync(made, "utf8")) as Bundle[];
  // Loaded only where nothing is bundled yet: it brings the bundler along.
  const { bundlePrograms } = await import("./bundle.ts");
  return bundlePrograms(home);
}

/** What a program is given, as an expression in ASCII: templates are code, everything else is data. */
function writeBaked(options: ProgramOptions, wanted: RegExp): string {
  const templates = options.templates
    .filter(({ name }) => wanted.test(name))
    .map(({ name, code }) => `${JSON.stringify(name)}:${code}`);
  const parts = [
    `settings:${JSON.stringify(options.settings)}`,
    `navigation:${JSON.stringify(options.navigation)}`,
    `templates:{${templates.join(",\n")}}`,
  ];
  return `{${parts.join(",\n")}}`.replace(
    /[^\x20-\x7e\n\t]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
