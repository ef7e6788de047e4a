/**
 * Static files of the built site, as the real web server serves them: index.html for a folder, 404.html where
 * there is nothing, and never a file outside the document root or one whose name begins with a dot.
 */
import { existsSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import type { Reply } from "./listen.ts";
import { framePage } from "./markup.ts";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".xml": "application/xml",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".pdf": "application/pdf",
  ".gz": "application/gzip",
};

/** What goes with every static file; the programs send their own policy. */
export const fileHeaders = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Cache-Control": "no-cache",
} as const;

/** The policy that the real web server is given with a release (build/server.ts). */
export function readPolicy(release: string): Policy {
  const file = join(release, "etc", "lighttpd.conf");
  const conf = existsSync(file) ? readFileSync(file, "utf8") : "";
  const policy = /"Content-Security-Policy" => "([^"]*)"/.exec(conf)?.[1];
  return policy === undefined ? {} : { "Content-Security-Policy": policy };
}

type Policy = Readonly<Record<string, string>>;

/** Answers a path below `folder`. `search` is the query with its "?", or "". */
export function answerFile(
  folder: string,
  method: string,
  path: string,
  search: string,
  policy: Policy = {},
): Reply {
  if (method !== "GET" && method !== "HEAD")
    return errorReply(folder, 405, "This page can only be read.", { Allow: "GET, HEAD" });
  const found = findFile(folder, path);
  if (found === undefined) return errorReply(folder, 404, "There is no such page.", policy);
  if (found.isFolder)
    return { status: 301, headers: { ...fileHeaders, ...policy, Location: `${path}/${search}` }, body: "" };
  const type = contentTypes[extname(found.file).toLowerCase()] ?? "application/octet-stream";
  return {
    status: 200,
    headers: { ...fileHeaders, ...policy, "Content-Type": type },
    body: readFileSync(found.file),
  };
}

/** An error page: the site's own STATUS.html if it has one (lighttpd's errorfile-prefix), else a bare one. */
export function errorReply(
  folder: string | undefined,
  status: number,
  sentence: string,
  headers: Reply["headers"] = {},
): Reply {
  const own = folder === undefined ? undefined : findFile(folder, `/${status}.html`);
  const body =
    own === undefined
      ? framePage(`${status}`, `<p>${sentence} Go to the <a href="/">first page</a>.</p>`)
      : readFileSync(own.file);
  const type = { "Content-Type": "text/html; charset=utf-8" };
  return { status, headers: { ...fileHeaders, ...type, ...headers }, body };
}

/** The file that answers a path; `isFolder` where the path lacks the slash of a folder. */
function findFile(folder: string, path: string): { file: string; isFolder: boolean } | undefined {
  const names = readNames(path);
  if (names === undefined) return undefined;
  const file = join(folder, ...names);
  const isIndex = path.endsWith("/");
  const stats = statInside(folder, file);
  if (stats?.isDirectory() !== true)
    return stats?.isFile() === true && !isIndex ? { file, isFolder: false } : undefined;
  const index = join(file, "index.html");
  if (statInside(folder, index)?.isFile() !== true) return undefined;
  return isIndex ? { file: index, isFolder: false } : { file, isFolder: true };
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
