/**
 * The package's half of the programs, as set-up leaves it beside the compiled code: a list, and the code of all, one behind the
 * other. With their hashes, so that a site's build need not work them out. Called by bundle.ts and programs.ts.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { assert, hasCode, NeedsHuman } from "../lib/util/failure.ts";
import type { Package } from "./package.ts";
import { readExactly } from "./reader.ts";

/** The code of programs that are told apart by no more than what is baked in, or by what they are called. */
export interface Bundle {
  /** Its first name in a release: "login". */
  readonly name: string;
  readonly kind: "cgi" | "jobs" | "servers" | "engine" | "library";
  /** The paths of its launchers in the release: one, but for jobs, and none of the engine and of libraries. */
  readonly paths: readonly string[];
  /** The package's templates that it may ask for, without those that they show. */
  readonly templates: readonly string[];
  /** An expression (launcher.ts), or of a library what CommonJS loads; in ASCII. */
  readonly code: Uint8Array;
}

/** A bundle whose code is read when it is asked for, and good until that of another one is: there are 6 MB of it. */
export interface Shelved extends Omit<Bundle, "code"> {
  readonly sha256: string;
  readonly bytes: number;
  readonly code: () => Uint8Array;
}

export const bundlesName = "programs.json";

interface Listed {
  /** The file of the code, named by its content, so that a list is never taken for that of other code. */
  readonly file: string;
  readonly bundles: readonly Omit<Shelved, "code">[];
}

/** Leaves the bundles for later builds, in the place of those before; called by set-up. */
export function keepBundles(codeFolder: string, bundles: readonly Bundle[]): void {
  for (const name of readdirSync(codeFolder))
    if (/^programs\..*bin$/.test(name)) rmSync(join(codeFolder, name));
  const code = Buffer.concat(bundles.map((bundle) => bundle.code));
  const file = `programs.${sha256Hex(code).slice(0, 16)}.bin`;
  writeFileSync(join(codeFolder, file), code);
  const listed: Listed = { file, bundles: bundles.map(describe) };
  writeFileSync(join(codeFolder, bundlesName), JSON.stringify(listed));
}

function describe({ code, ...bundle }: Bundle): Omit<Shelved, "code"> {
  return { ...bundle, sha256: sha256Hex(code), bytes: code.length };
}

/** What set-up bundled, or is bundled now. The caller closes it. */
export interface Bundles {
  readonly all: readonly Shelved[];
  readonly close: () => void;
}

/**
 * Stays the same until it is closed, though the package be installed anew meanwhile.
 * @throws NeedsHuman if that happens at this moment
 */
export async function openBundles(home: Pick<Package, "codeFolder" | "codeEnding">): Promise<Bundles> {
  const list = join(home.codeFolder, bundlesName);
  if (existsSync(list)) {
    const { file, bundles } = JSON.parse(readFileSync(list, "utf8")) as Listed;
    const room = Buffer.allocUnsafeSlow(Math.max(0, ...bundles.map(({ bytes }) => bytes)));
    const handle = openCode(join(home.codeFolder, file));
    let at = 0;
    const all = bundles.map((bundle) => {
      const start = at;
      at += bundle.bytes;
      return { ...bundle, code: () => readCode(handle, start, room.subarray(0, bundle.bytes)) };
    });
    return { all, close: () => closeSync(handle) };
  }
  // Loaded only where nothing is bundled yet: it brings the bundler along.
  const { bundlePrograms } = await import("./bundle.ts");
  const all = (await bundlePrograms(home)).map((bundle) => ({
    ...describe(bundle),
    code: () => bundle.code,
  }));
  return { all, close: () => undefined };
}

function openCode(file: string): number {
  try {
    return openSync(file, "r");
  } catch (cause) {
    if (!hasCode(cause, ["ENOENT"])) throw cause;
    throw new NeedsHuman(`${file}: not found; the package was replaced just now, or in part: build again`, {
      cause,
    });
  }
}

function readCode(file: number, start: number, into: Buffer): Buffer {
  assert(readExactly(file, into, start), "the programs' code is as long as its list says");
  return into;
}
