/**
 * The search index as a file of the release. Error pages are left out: nobody looks for them. Loaded only where a
 * site has a search, since it brings the database driver along.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSearchDocument, makeSearchIndex } from "../lib/search/index.ts";
import { searchPath } from "./programs.ts";
import type { Site } from "./site.ts";
import { isErrorPage } from "./surroundings.ts";

/** Indexes the pages in their order, which decides between equally good ones. */
export function indexPages(site: Pick<Site, "pages" | "bodies">): {
  readonly path: string;
  readonly bytes: Uint8Array;
} {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-search-"));
  try {
    const file = join(folder, "pages.sqlite");
    makeSearchIndex({ file }, listDocuments(site));
    return { path: searchPath, bytes: readFileSync(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One at a time: the words of a large site need not be in memory twice. */
function* listDocuments({ pages, bodies }: Pick<Site, "pages" | "bodies">) {
  for (const page of pages) {
    if (isErrorPage(page)) continue;
    const { path, title, header, body } = page;
    const html = bodies.read(body).toString("utf8");
    yield makeSearchDocument({ path, title, description: header.description, html });
  }
}
