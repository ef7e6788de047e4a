/**
 * What a site has besides its sources and their lists: feeds, what search engines ask for, pages that lead on from old
 * addresses. Called by site.ts, and by whole.ts when all is well.
 */
import type { Settings } from "../lib/util/settings.ts";
import type { Bodies } from "./bodies.ts";
import type { Collection, ListPage } from "./collections.ts";
import { writeFeed } from "./feed.ts";
import type { Page } from "./page.ts";
import { type Redirect, redirectsFile, writeRedirect } from "./redirects.ts";
import { writeRobots, writeSitemap } from "./sitemap.ts";
import type { Source } from "./sources.ts";
import { feedOutput } from "./surroundings.ts";

export interface Made {
  /** Path below www/. */
  readonly output: string;
  /** The file that asks for it, for messages. */
  readonly file: string;
  readonly text: () => string;
}

interface Ground {
  readonly sources: readonly Source[];
  readonly pages: readonly Page[];
  readonly lists: readonly ListPage[];
  readonly collections: readonly Collection[];
  readonly redirects: readonly Redirect[];
  readonly bodies: Bodies;
  readonly settings: Pick<Settings, "url" | "name">;
}

export function planMade(ground: Ground): readonly Made[] {
  const { collections, redirects, bodies, settings, pages, lists } = ground;
  const { url, name: siteName } = settings;
  const feeds = collections.map((collection): Made => {
    const text = (): string => writeFeed(collection, { bodies, url, siteName });
    return { output: feedOutput(collection), file: collection.index.source.file, text };
  });
  const moved = redirects.map((redirect): Made => {
    return { output: redirect.output, file: redirectsFile, text: () => writeRedirect(redirect, url) };
  });
  const made = lists.flatMap(({ page, isMade }) => (isMade ? [page] : []));
  const forRobots = [...writeSitemap([...pages, ...made], url), writeRobots(url)].map(
    ({ output, text }): Made => {
      return { output, file: `(made) ${output}`, text };
    },
  );
  // An owner's own is as good.
  const isOwn = ({ output }: Made): boolean => ground.sources.some((source) => source.output === output);
  return [...feeds, ...moved, ...forRobots.filter((one) => !isOwn(one))];
}
