/**
 * Static files of the built site, as the real web server serves them: index.html for a folder, 404.html where
 * there is nothing, and never a file outside the document root or one whose name begins with a dot.
 */
import { existsSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import type { Fault, Previewed } from "../build/build.ts";
import { hasCode } from "../lib/util/failure.ts";
import { mediaTypes } from "../lib/util/mediatypes.ts";
import type { Reply } from "./listen.ts";
import { framePage } from "./markup.ts";

const contentTypes: Readonly<Record<string, string>> = {
  ...mediaTypes,
  ".md": "text/markdown; charset=utf-8",
};

const usualPolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** What goes with every static file; the programs send their own policy. */
export const fileHeaders = {
  "Content-Security-Policy": usualPolicy,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Cache-Control": "no-cache",
} as const;

/** What lies at a path below www/, "docs/index.html": of a release, or as the sources are now. */
export type Files = (output: string) => Promise<Previewed | undefined>;

/** The files of a release, with the policy that the real web server is given with them (build/server.ts). */
export function filesOf(release: string): Files {
  const www = join(release, "www");
  const conf = join(release, "etc", "lighttpd.conf");
  return async (output) => {
    const file = join(www, output);
    if (statInside(www, file)?.isFile() !== true) return undefined;
    const text = existsSync(conf) ? readFileSync(conf, "utf8") : "";
    const policy = /"Content-Security-Policy" => "([^"]*)"/.exec(text)?.[1] ?? usualPolicy;
    return { bytes: readFileSync(file), policy };
  };
}

/** Answers a path; with the faults in the place of a page that has any. */
export async function answerFile(
  files: Files,
  { method, path, search }: FileRequest,
): Promise<Reply | { readonly faults: readonly Fault[] }> {
  if (method !== "GET" && method !== "HEAD")
    return errorReply(files, 405, "This page can only be read.", { Allow: "GET, HEAD" });
  const names = readNames(path);
  const output = [...(names ?? []), ...(path.endsWith("/") ? ["index.html"] : [])].join("/");
  const found = names === undefined ? undefined : await files(output);
  if (found !== undefined && "faults" in found) return found;
  if (found !== undefined) {
    const type = contentTypes[extname(output).toLowerCase()] ?? "application/octet-stream";
    return { status: 200, headers: { ...headersOf(found), "Content-Type": type }, body: found.bytes };
  }
  const isFolder =
    names !== undefined && !path.endsWith("/") && (await files(`${output}/index.html`)) !== undefined;
  if (!isFolder) return errorReply(files, 404, "There is no such page.");
  return { status: 301, headers: { ...fileHeaders, Location: `${path}/${search}` }, body: "" };
}

export interface FileRequest {
  readonly method: string;
  readonly path: string;
  /** The query with its "?", or "". */
  readonly search: string;
}

/** An error page: the site's own STATUS.html if it has one (lighttpd's errorfile-prefix), else a bare one. */
export async function errorReply(
  files: Files,
  status: number,
  sentence: string,
  headers: Reply["headers"] = {},
): Promise<Reply> {
  const own = await files(`${status}.html`);
  if (own === undefined || "faults" in own) return bareReply(status, sentence, headers);
  return { status, headers: { ...headersOf(own), ...htmlType, ...headers }, body: own.bytes };
}

const htmlType = { "Content-Type": "text/html; charset=utf-8" };

/** An error page that is none of the site's. */
export function bareReply(status: number, sentence: string, headers: Reply["headers"] = {}): Reply {
  const body = framePage(`${status}`, `<p>${sentence} Go to the <a href="/">first page</a>.</p>`);
  return { status, headers: { ...fileHeaders, ...htmlType, ...headers }, body };
}

function headersOf({ policy }: { readonly policy: string }): Reply["headers"] {
  return { ...fileHeaders, "Content-Security-Policy": policy };
}

/** The decoded names of a path; undefined if one of them could lead elsewhere or is hidden. */
function readNames(path: string): readonly string[] | undefined {
  const inner = path.replace(/^\//, "").replace(/\/$/, "");
  if (inner === "") return path === "/" ? [] : undefined;
  try {
    const names = inner.split("/").map((name) => decodeURIComponent(name));
    const isPlain = (name: string): boolean =>
      name !== "" && !/[/\\\0]/.test(name) && (!name.startsWith(".") || name === ".well-known");
    return names.every(isPlain) ? names : undefined;
  } catch {
    return undefined; // A percent sign that encodes nothing.
  }
}

/** Follows links only as long as they stay inside. */
function statInside(folder: string, file: string): Stats | undefined {
  try {
    const root = realpathSync(folder);
    const real = realpathSync(file);
    return real === root || real.startsWith(root + sep) ? statSync(real) : undefined;
  } catch (cause) {
    if (hasCode(cause, ["ENOENT", "ENOTDIR", "ENAMETOOLONG"])) return undefined;
    throw cause;
  }
}
