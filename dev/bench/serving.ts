/**
 * `npm run bench -- serve`: how long it takes from saving a source until a page shows it. Our server tells open pages, which then
 * ask again; Hugo's is asked without a pause until it shows what was saved, which is sooner than any browser would be told.
 * Called by main.ts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { inheritedPath } from "../../lib/util/settings.ts";
import { type Builder, layDownSite } from "./builders.ts";
import { type Corpus, type CorpusPage, footerText, put } from "./corpus.ts";
import { alignRows, showNumber, spreadOf } from "./figures.ts";

export interface ServingResult {
  readonly name: string;
  readonly pages: number;
  /** Milliseconds, of each save: until the server said that something changed, and until it was shown. */
  readonly changes: readonly {
    readonly what: string;
    readonly told: readonly number[];
    readonly shown: readonly number[];
  }[];
}

/** Something that is saved, and what is in the page then. */
interface Change {
  readonly what: string;
  readonly save: (round: number) => string;
}

// A whole build of a large site goes on in the background meanwhile, as it would where somebody works quickly.
const pauseMs = 700;
const startLimitMs = 120_000;

export async function benchServing(
  builder: Builder,
  corpus: Corpus,
  { rounds, home, port }: { readonly rounds: number; readonly home: string; readonly port: number },
): Promise<ServingResult> {
  const folder = join(home, `${builder.name}-served`);
  layDownSite(builder, folder, corpus, "html");
  const isOurs = builder.name === "picodollar";
  const child = startServer(builder, folder, port);
  const site = openSite(port);
  const page = corpus.pages.find(({ path }) => !path.endsWith("index.html"));
  if (page === undefined) throw new Error("there is no page to change");
  try {
    await untilReady(child, site, page.path);
    if (isOurs) await site.listen();
    const changes: ServingResult["changes"][number][] = [];
    for (const change of listChanges(builder, folder, corpus, page)) {
      const [told, shown]: [number[], number[]] = [[], []];
      for (let round = 1; round <= rounds; round += 1) {
        await wait(pauseMs);
        const telling = site.told();
        const startedAt = performance.now();
        const mark = change.save(round);
        if (isOurs) {
          await telling;
          told.push(performance.now() - startedAt);
        }
        while (!(await site.read(page.path)).includes(mark))
          if (isOurs) throw new Error(`${change.what}: the page that was told of does not show it`);
        shown.push(performance.now() - startedAt);
      }
      changes.push({ what: change.what, told, shown });
    }
    return { name: builder.name, pages: corpus.pages.length, changes };
  } finally {
    site.close();
    child.kill("SIGINT");
    await once(child, "exit");
  }
}

function listChanges(builder: Builder, folder: string, corpus: Corpus, page: CorpusPage): readonly Change[] {
  const layout = builder.name === "picodollar" ? "layouts/footer.html" : "layouts/partials/footer.html";
  return [
    {
      what: "a body",
      save: (round) => {
        builder.putPage(folder, corpus, page, "html", round);
        return `Revised ${round} times.`;
      },
    },
    {
      what: "a title",
      save: (round) => {
        const title = `Another title ${round}`;
        builder.putPage(folder, corpus, { ...page, title }, "html", 0);
        return title;
      },
    },
    {
      what: "a layout's part",
      save: (round) => {
        put(folder, layout, footerText.replace("<footer>", `<footer><p>footer ${round}</p>`));
        return `<p>footer ${round}</p>`;
      },
    },
  ];
}

function startServer({ name, command, environment }: Builder, folder: string, port: number): ChildProcess {
  const words =
    name === "picodollar"
      ? ["serve", "--port", String(port)]
      : ["server", "--bind", "127.0.0.1", "--port", String(port), "--disableLiveReload", "--quiet"];
  const [program = "", ...before] = name === "picodollar" ? command.slice(0, 2) : command.slice(0, 1);
  return spawn(program, [...before, ...words], {
    cwd: folder,
    env: { ...environment, PATH: inheritedPath(), SITE_DATA: join(folder, "data") },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

interface Asked {
  readonly read: (path: string) => Promise<string>;
  /** Begins to hear what open pages are told. */
  readonly listen: () => Promise<void>;
  /** Settles when they are told next. */
  readonly told: () => Promise<void>;
  readonly close: () => void;
}

function openSite(port: number): Asked {
  const agent = new Agent({ keepAlive: true });
  let hear = (): void => undefined;
  const ask = (path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port, path, agent }, resolve).once("error", reject);
    });
  return {
    read: async (path) => {
      const response = await ask(`/${path}`);
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      return text;
    },
    listen: async () => {
      const response = await ask("/_picodollar/events");
      response.on("data", () => hear()).on("error", () => undefined);
      await once(response, "data");
    },
    told: () =>
      new Promise((resolve) => {
        hear = resolve;
      }),
    close: () => agent.destroy(),
  };
}

async function untilReady(child: ChildProcess, site: Asked, path: string): Promise<void> {
  const until = performance.now() + startLimitMs;
  for (;;) {
    const text = await site.read(path).catch(() => "");
    if (text.includes("</html>")) break;
    if (child.exitCode !== null || performance.now() > until) throw new Error("the server did not start");
    await wait(100);
  }
  await wait(3000);
}

export function showServing(results: readonly ServingResult[]): string {
  const head = ["saved", "server", "pages", "told ms", "shown ms", "least", "most"];
  const rows = results.flatMap(({ name, pages, changes }) =>
    changes.map(({ what, told, shown }) => {
      const all = spreadOf(shown);
      return [
        what,
        name,
        String(pages),
        showNumber(spreadOf(told)?.median, 1),
        showNumber(all?.median, 1),
        showNumber(all?.least, 1),
        showNumber(all?.most, 1),
      ];
    }),
  );
  return alignRows([head, ...rows]);
}
