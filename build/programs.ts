/**
 * The programs of a release: the code of each file of cgi/ and of each job, with the site's settings, navigation,
 * and compiled templates put before it. One file each, which needs nothing but Node and the native addon.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NavSection } from "../lib/util/navigation.ts";
import { findRoute, isOffered } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import type { Package } from "./package.ts";
import type { Template } from "./template.ts";

export interface Program {
  /** Path in the release, "cgi/account/login.cgi" or "jobs/bill". */
  readonly path: string;
  readonly bytes: Uint8Array;
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
  /** Its text, in ASCII. */
  readonly code: Uint8Array;
}

/** Undeclared in a bundle: its value is put before it here. */
export const bakedName = "__picodollar_baked__";

/** Where the index of the pages lies in the release of a site with a search; programs find it from where they lie. */
export const searchPath = "search/pages.sqlite";

/** Where set-up leaves the bundles, beside the compiled code: a list of them, and their code, one behind the other. */
export const bundlesName = "programs.json";
const codeName = "programs.bin";

type Listed = Omit<Bundle, "code"> & { readonly bytes: number };

/** Makes every program that the site has, in the order of their paths. */
export async function buildPrograms(options: ProgramOptions): Promise<readonly Program[]> {
  const bundles = (await findBundles(options.home)).filter(({ path }) => {
    const route = findRoute(path.replace(/^cgi/, ""));
    return route === undefined || isOffered(route, options.settings);
  });
  const baked = { cgi: writeBaked(options, /^/), jobs: writeBaked(options, /^mail\//) };
  const start = (kind: Bundle["kind"]): Buffer =>
    Buffer.from(`#!/usr/bin/env node\n"use strict";var ${bakedName}=${baked[kind]};\n`);
  const starts = { cgi: start("cgi"), jobs: start("jobs") };
  return bundles.map(({ path, kind, code }) => ({ path, bytes: Buffer.concat([starts[kind], code]) }));
}

/** Leaves the bundles for later builds; called by set-up. */
export function keepBundles(codeFolder: string, bundles: readonly Bundle[]): void {
  const listed = bundles.map(({ path, kind, code }): Listed => ({ path, kind, bytes: code.length }));
  writeFileSync(join(codeFolder, codeName), Buffer.concat(bundles.map(({ code }) => code)));
  writeFileSync(join(codeFolder, bundlesName), JSON.stringify(listed));
}

async function findBundles(home: ProgramOptions["home"]): Promise<readonly Bundle[]> {
  const list = join(home.codeFolder, bundlesName);
  if (existsSync(list)) {
    const listed = JSON.parse(readFileSync(list, "utf8")) as readonly Listed[];
    const all = readFileSync(join(home.codeFolder, codeName));
    let end = 0;
    return listed.map(({ path, kind, bytes }) => {
      end += bytes;
      return { path, kind, code: all.subarray(end - bytes, end) };
    });
  }
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
