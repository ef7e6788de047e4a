/** The finished pages of a site, one by one, for whoever looks at them more closely than a build does (check/). */

import { type Clock, dayOf } from "../lib/util/clock.ts";
import type { Fault } from "./fault.ts";
import { type FramedPage, makeDocument } from "./frame.ts";
import { frameSite } from "./frames.ts";
import { checkOutFolder } from "./outfolder.ts";
import type { Package } from "./package.ts";
import { readSite, type Site } from "./site.ts";
import { readSources } from "./sources.ts";
import { makeStages } from "./stages.ts";
import type { Template } from "./template.ts";
import { readUtf8 } from "./text.ts";

export interface CheckedPage {
  /** Path from the site's folder, "content/docs/a.html". */
  readonly file: string;
  /** Path below www/, "docs/a.html". */
  readonly output: string;
  /** Name of the layout around it. */
  readonly layout: string;
  /** The whole built page. */
  readonly document: string;
  /** The whole text of the file. */
  readonly source: string;
  /** Where the body lies in the document: once, unless a layout puts it in several times; nowhere if it is empty. */
  readonly bodyStarts: readonly number[];
  readonly bodyLength: number;
  /** Line of the source in which the body begins, from 1. */
  readonly bodyLine: number;
  readonly isMarkdown: boolean;
}

export interface Framing {
  /** In their order; none is held. */
  readonly pages: () => Iterable<CheckedPage>;
  readonly templates: readonly Template[];
  readonly url: string;
  /** Addresses that the navigation leads to. */
  readonly navigation: readonly string[];
  /** Absolute paths of what is copied as it is, by output. */
  readonly assets: ReadonlyMap<string, string>;
  /** Whether a build would take the folder for its releases. */
  readonly isOutRight: boolean;
  /** All that a build would refuse. */
  readonly faults: readonly Fault[];
  readonly close: () => void;
}

/** The pages in their layouts; nothing is written. Folders are absolute; the caller closes it. */
export async function frameForCheck(options: {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly home: Package;
  readonly clock: Clock;
}): Promise<Framing> {
  const { sourceFolder, outFolder, home, clock } = options;
  const choice = { today: dayOf(clock.now()), drafts: false, future: false, isPlain: true };
  const stages = makeStages();
  const site = await readSite(
    { sourceFolder, outFolder: undefined, stages },
    home,
    readSources(sourceFolder),
    choice,
  );
  const { framed, faults } = frameSite(site, stages);
  const outFaults = checkOutFolder(outFolder, sourceFolder);
  const copies = site.sources.filter(({ kind }) => kind === "file");
  const entries = site.baked?.navigation ?? [];
  return {
    pages: () => listPages(framed, site),
    templates: site.templates,
    url: site.baked?.settings.url ?? "http://127.0.0.1",
    navigation: entries.flatMap(({ href, children }) => [href, ...children.map((child) => child.href)]),
    assets: new Map(copies.map(({ output, absolute }) => [output, absolute])),
    isOutRight: outFaults.length === 0,
    faults: [...faults, ...outFaults],
    close: site.bodies.close,
  };
}

function* listPages(framed: readonly FramedPage[], { bodies }: Site): Generator<CheckedPage> {
  for (const one of framed) {
    const { source, header, body, bodyLine } = one.page;
    const { bytes, bodyStarts } = makeDocument(one, bodies);
    const document = bytes.toString("utf8");
    yield {
      file: source.file,
      output: source.output,
      layout: header.layout,
      document,
      // Wanted only where something is found.
      get source() {
        const text = readUtf8(source.absolute);
        return typeof text === "string" ? text : "";
      },
      bodyStarts: bodyStarts.map((start) => bytes.toString("utf8", 0, start).length),
      bodyLength: bodies.read(body).toString("utf8").length,
      bodyLine,
      isMarkdown: source.kind === "markdown",
    };
  }
}
