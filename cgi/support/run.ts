/**
 * The front door of every CGI program: one process, one request. The build puts a call of `runProgram` behind
 * each handler. The last byte written is the last thing done: the web server ends a program two or three
 * milliseconds after it (lighttpd's mod_cgi), so everything is committed before.
 */
import { join } from "node:path";
import { standardCost } from "../../lib/accounts/password.ts";
import { withSlot } from "../../lib/store/slot.ts";
import { openStore } from "../../lib/store/sqlite.ts";
import type { Store } from "../../lib/store/store.ts";
import { systemClock, takeAtLeast } from "../../lib/util/clock.ts";
import { readMaintenance } from "../../lib/util/maintenance.ts";
import { routes } from "../../lib/util/routes.ts";
import { applyPlace, readPlace, readSecrets } from "../../lib/util/settings.ts";
import { type Baked, makeRenderer } from "../../lib/util/templates.ts";
import { answerRequest, type Frame, failurePage, maintenancePage, refusalPage } from "./answer.ts";
import { guardHead } from "./guard.ts";
import { readBody, readRequest } from "./request.ts";
import { formatCgi, type Response, writeAll } from "./response.ts";
import type { Handler, Site } from "./visit.ts";

// Less than the web server waits for a program (30 seconds, content/docs/production.html).
const hashingWaitMs = 20_000;
/** Far more than the few milliseconds of a write, and less than anybody minds. */
const evenMs = 200;

/** What lies beside the programs in a release. */
export interface ProgramFiles {
  readonly addonFile: string;
  /** The index of the pages; there only where the site has a search. */
  readonly searchFile: string;
}

/** For programs without accounts: they work where there is no database, and cannot touch one that is there. */
const noStore: Store = { read: failStore, write: failStore, close: () => undefined };

function failStore(): never {
  throw new Error("assertion failed: only a program with accounts asks for their database");
}

/** Answers the one request of this process, and ends it. */
export async function runProgram(
  name: string,
  handler: Handler,
  baked: Baked,
  files: ProgramFiles,
): Promise<never> {
  writeAll(formatCgi(await answerProcess(name, handler, baked, files)));
  // Closing the database would cost a checkpoint; the next program finds the write-ahead log as it is.
  process.exit(0);
}

async function answerProcess(
  name: string,
  handler: Handler,
  baked: Baked,
  { addonFile, searchFile }: ProgramFiles,
): Promise<Response> {
  const route = routes.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`assertion failed: no route is named ${name}`);
  const renderer = makeRenderer(baked);
  // One line each: what a stranger sent must not pass for a line of ours.
  const log = (line: string): void => console.error(line.replace(/\p{Cc}+/gu, " | "));
  const bare: Frame = { settings: baked.settings, renderer, log, clock: systemClock };
  try {
    const place = readPlace();
    const settings = applyPlace(baked.settings, place);
    const frame: Frame = { settings, renderer, log, clock: systemClock };
    const head = readRequest();
    const early = guardHead(route, head, settings.url);
    if (early !== undefined) return refusalPage(route, frame, early);
    const state = readMaintenance(place.dataFolder);
    if (route.hasAccounts && (state === "on" || (state === "read-only" && head.method === "POST")))
      return maintenancePage(route, frame);
    const openSite = (): Site => {
      const secrets = readSecrets(place.secretsFile, route.secrets);
      const file = join(place.dataFolder, "books.sqlite");
      const store = route.hasAccounts ? openStore({ file, clock: systemClock, addonFile }) : noStore;
      const folder = place.dataFolder;
      const slots = { folder, name: "hashing", count: 2, waitMs: hashingWaitMs, addonFile };
      return {
        settings,
        secrets,
        store,
        search: { file: searchFile, addonFile },
        renderer,
        clock: systemClock,
        passwordCost: standardCost,
        hashInTurn: (work) => withSlot(slots, work),
        inEvenTime: (work) => takeAtLeast(evenMs, work),
        log,
      };
    };
    return await answerRequest(route, handler, readBody(head, route), frame, openSite);
  } catch (cause) {
    return failurePage(route, bare, cause);
  }
}
