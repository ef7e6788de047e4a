/**
 * A built site made by hand in a temporary folder, with programs of a few lines, so that the development server is
 * tested without the builder and without the account pages.
 */
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BuildResult } from "../../build/build.ts";
import { systemClock } from "../../lib/util/clock.ts";

export interface MadeSite {
  readonly folder: string;
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly dataFolder: string;
  /** Puts a release into place: path in it to contents. */
  readonly release: (id: string, files: Readonly<Record<string, string>>) => void;
  readonly write: (path: string, text: string) => void;
  readonly remove: () => void;
}

export const idleJobs = {
  "jobs/migrate": "console.log('migrate: nothing to do');",
  "jobs/mail": "setInterval(() => {}, 1000);",
} as const;

export function makeSite(): MadeSite {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-dev-")));
  const at = (name: string): string => join(folder, name);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  const release = (id: string, files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) write(`dist/releases/${id}/${path}`, text);
    symlinkSync(`releases/${id}`, at(`dist/.current-${id}`));
    renameSync(at(`dist/.current-${id}`), at("dist/current"));
  };
  mkdirSync(at("content"));
  return {
    folder,
    sourceFolder: folder,
    outFolder: at("dist"),
    dataFolder: at("data"),
    release,
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface RawRequest {
  readonly method?: string;
  /** Sent as it stands, dots and all. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Several chunks go without a length. */
  readonly body?: string | readonly string[];
}

/** A request that no library has tidied up, and that follows no redirect. */
export function ask(base: string, asked: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  const { method = "GET", path, body = [] } = asked;
  const headers: Record<string, string | string[]> = { ...asked.headers };
  if (typeof body === "string") headers["Content-Length"] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on("error", reject);
    for (const chunk of typeof body === "string" ? [body] : body) request.write(chunk);
    request.end();
  });
}

/** Waits for something that another process does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.now() + 10_000;
  while (!(await holds())) {
    if (systemClock.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a build says that made a site of one page. */
export function describeRelease(releaseId: string, releaseFolder: string): BuildResult {
  return {
    ok: true,
    releaseId,
    releaseFolder,
    pages: 1,
    files: 0,
    programs: 0,
    drafts: 0,
    future: 0,
    sources: 1,
    sourcesRead: 1,
    isWhole: true,
    markdown: 0,
    changed: true,
    written: 1,
    compressed: { files: 0, anew: 0 },
    stages: [],
    ms: 1.4,
  };
}
