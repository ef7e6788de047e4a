/**
 * The files of a site that are no pages. What pages load (style sheets, scripts, pictures, fonts) gets a
 * second name with a hash of its content, by which browsers may keep it for ever; the plain name stays for those who
 * link to the file itself. Style sheets are made small, with what they import. Called by site.ts.
 */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { TryLater } from "../lib/util/failure.ts";
import type { Fault } from "./fault.ts";
import { type ImageSize, imageSize } from "./images.ts";
import { addressOf } from "./page.ts";
import { isText, makeReader, type Stamp } from "./reader.ts";
import type { Entry } from "./release.ts";
import { makeSheets } from "./sheets.ts";
import type { Source } from "./sources.ts";

/** What stands in a page for an asset. */
export interface Renamed {
  /** "/style.4f1c2a9b0e.css", as links are written. */
  readonly address: string;
  /** Of style sheets and scripts, "sha384-...": what browsers compare (Subresource Integrity). */
  readonly integrity: string;
  readonly size: ImageSize | undefined;
}

/** By path below www/. */
export type Renames = ReadonlyMap<string, Renamed>;

/** A file of the release that is not made of a page. */
export interface AssetFile extends Entry {
  /** Path of the source, for messages. */
  readonly file: string;
  readonly bytesNow: () => Uint8Array;
}

export interface Assets {
  readonly files: readonly AssetFile[];
  readonly stamps: ReadonlyMap<Source, Stamp>;
  readonly renames: Renames;
  /** To be called when the site was published. */
  readonly keep: () => void;
  readonly faults: readonly Fault[];
}

// Sounds and films are large, and would lie there twice.
const hashed = /\.(?:css|m?js|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|otf)$/i;
const picture = /\.(?:png|jpe?g|gif|webp|avif|svg)$/i;
const withIntegrity = /\.(?:css|m?js)$/i;
const digits = 10;

/** Browsers and others ask for these by their names. */
function keepsName({ output }: Source): boolean {
  return output.startsWith(".well-known/") || output === "favicon.ico";
}

/** @param isPlain nothing gets another name */
export async function readAssets(
  sources: readonly Source[],
  options: { readonly isPlain: boolean; readonly outFolder: string | undefined; readonly tool: string },
): Promise<Assets> {
  const read = makeReader();
  const files: AssetFile[] = [];
  const stamps = new Map<Source, Stamp>();
  const renames = new Map<string, Renamed>();
  const texts: { readonly source: Source; readonly text: string }[] = [];
  for (const source of sources) {
    if (source.kind !== "file") continue;
    const { bytes, stamp } = read(source.absolute);
    stamps.set(source, stamp);
    const copy = planCopy(source, bytes, read);
    files.push(copy);
    if (options.isPlain || keepsName(source) || !hashed.test(source.output)) continue;
    if (source.output.endsWith(".css")) {
      // What is none is told with the links that it would have.
      if (isText(bytes)) texts.push({ source, text: bytes.toString("utf8") });
      continue;
    }
    const output = nameOf(source.output, copy.sha256);
    files.push({ ...copy, path: `www/${output}` });
    renames.set(source.output, describe(source.output, output, bytes));
  }
  const { sheets, keep, faults } = await makeSheets(texts, renames, options);
  for (const { source, text } of sheets) {
    const bytes = Buffer.from(text);
    const sha256 = sha256Hex(bytes);
    const output = nameOf(source.output, sha256);
    const { file } = source;
    files.push({ file, path: `www/${output}`, sha256, bytes: bytes.length, bytesNow: () => bytes });
    renames.set(source.output, describe(source.output, output, bytes));
  }
  return { files, stamps, renames, keep, faults };
}

/** A copy is read again when it is written: it may be large. */
function planCopy(
  { output, absolute, file }: Source,
  bytes: Buffer,
  read: ReturnType<typeof makeReader>,
): AssetFile {
  const sha256 = sha256Hex(bytes);
  const bytesNow = (): Uint8Array => {
    const now = read(absolute).bytes;
    if (sha256Hex(now) === sha256) return now;
    throw new TryLater(`${absolute}: changed while the site was built; build again`);
  };
  return { file, path: `www/${output}`, sha256, bytes: bytes.length, bytesNow };
}

function nameOf(output: string, sha256: string): string {
  const ending = extname(output);
  return `${output.slice(0, -ending.length)}.${sha256.slice(0, digits)}${ending}`;
}

function describe(plain: string, output: string, bytes: Buffer): Renamed {
  const sha384 = withIntegrity.test(plain) ? createHash("sha384").update(bytes).digest("base64") : "";
  return {
    address: addressOf(output),
    integrity: sha384 === "" ? "" : `sha384-${sha384}`,
    size: picture.test(plain) ? imageSize(bytes) : undefined,
  };
}
