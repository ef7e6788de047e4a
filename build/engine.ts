/**
 * The code that the programs of a site with a PostgreSQL server get besides: our half and the driver's client, and of what that brings
 * along only what they use. A page is one process, so each module that is loaded and not used is waited for by somebody. Called by bundle.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { assert } from "../lib/util/failure.ts";
import type { Bundle } from "./bundles.ts";
import { type Home, programOptions } from "./entry.ts";
import { engineScript } from "./launcher.ts";

/**
 * PostgreSQL's half of the store with its driver, apart: programs of a site that has chosen it are given it, others have not a byte of it. It is a function of what it shares with them, the kinds of failure, which are told apart by their classes.
 */
export async function bundleEngine({ codeFolder, codeEnding }: Home): Promise<readonly Bundle[]> {
  const door = join(codeFolder, "lib", "store", "postgres", `door${codeEnding}`);
  // A package of fewer programs, as tests have, may have no store at all.
  if (!existsSync(door)) return [];
  const { outputFiles, warnings } = await build({
    entryPoints: [door],
    ...programOptions,
    absWorkingDir: codeFolder,
    // The driver's other halves, which nobody here asks for.
    external: ["pg-native", "pg-cloudflare"],
    plugins: [shared, putAside],
  });
  assert(warnings.length === 0, `esbuild has no warning: ${warnings[0]?.text}`);
  const code = outputFiles[0]?.text ?? "";
  const text = `function(__shared,require){var module={exports:{}};(function(exports,module){${code}})(module.exports,module);return module.exports}\n`;
  return [{ name: engineScript, kind: "engine", paths: [], templates: [], code: Buffer.from(text) }];
}

const shared: Plugin = {
  name: "picodollar-shared",
  setup(bundler) {
    bundler.onResolve({ filter: /\/util\/failure\.[jt]s$/ }, ({ path }) => ({ path, namespace: "shared" }));
    bundler.onLoad({ filter: /.*/, namespace: "shared" }, () => ({ contents: "module.exports = __shared;" }));
  },
};

/** What is put in the place of some of the driver's modules (driver.ts). */
const putAside: Plugin = {
  name: "picodollar-driver",
  setup(bundler) {
    for (const { asked, by, write } of standIns) {
      bundler.onResolve({ filter: asked }, async ({ path, importer, namespace, resolveDir, kind }) => {
        if (namespace !== "file" || !by.test(importer)) return undefined;
        // Asked again below, past this: the namespace is another one there.
        const real = await bundler.resolve(path, { resolveDir, kind, namespace: "real", importer });
        return { path: real.path, namespace: "aside", pluginData: { write, resolveDir } };
      });
    }
    bundler.onLoad({ filter: /.*/, namespace: "aside" }, ({ path, pluginData }) => ({
      contents: pluginData.write(path),
      loader: "js",
      resolveDir: pluginData.resolveDir,
    }));
  },
};

interface StandIn {
  /** What is asked for, and by whom; both as the bundler says them. */
  readonly asked: RegExp;
  readonly by: RegExp;
  /** What stands in its place; `real` is the path of what was asked for. */
  readonly write: (real: string) => string;
}

const driver = /[\\/]node_modules[\\/]pg[\\/]/;

/** What of the driver is put aside; whatever it does not name is as the driver's authors wrote it. */
const standIns: readonly StandIn[] = [
  // The package's front door is its client and, besides, a pool, a half in native code, and types of its own.
  {
    asked: /^pg$/,
    by: /./,
    write: () => 'import Client from "pg/lib/client.js"; export default { Client };',
  },
  // Cells are read by their type's number in connection.ts; nobody asks these for a parser of theirs.
  {
    asked: /^pg-types$/,
    by: driver,
    write: () => "exports.getTypeParser = () => (text) => text;",
  },
  // Used where an address is told to the native half alone; the socket looks names up by itself.
  { asked: /^dns$/, by: driver, write: () => "" },
  { asked: /^pg-connection-string$/, by: driver, write: () => "exports.parse = undefined;" },
  // It finds out whether it runs in a browser's kind of server by making a Response, for which Node 20 loads a whole client for HTTP: 20 ms.
  {
    asked: /^\.\/stream$/,
    by: /[\\/]pg[\\/]lib[\\/]connection\.js$/,
    write: () =>
      'exports.getStream = () => new (require("node:net").Socket)(); exports.getSecureStream = (options) => require("node:tls").connect(options);',
  },
  // Loaded by the first password that a server asks for: over a UNIX socket most ask for none.
  { asked: /^\.\/crypto\/utils$/, by: /[\\/]pg[\\/]lib[\\/]client\.js$/, write: lend },
  { asked: /^\.\/utils$/, by: /[\\/]pg[\\/]lib[\\/]crypto[\\/]sasl\.js$/, write: lend },
];

/** The module's functions, each of which loads it. */
function lend(real: string): string {
  return `module.exports = new Proxy({}, { get: (_, name) => require(${JSON.stringify(real)})[name] });`;
}
