/**
 * One request answered, whoever brought it: a program that ends after it (run.ts), or one that stays (resident.ts). What may be
 * decided before the body is read is decided here.
 */
import { existsSync } from "node:fs";
import { standardCost } from "../../lib/accounts/password.ts";
import type { Store } from "../../lib/store/store.ts";
import { systemClock, takeAtLeast } from "../../lib/util/clock.ts";
import { TryLater } from "../../lib/util/failure.ts";
import { readMaintenance } from "../../lib/util/maintenance.ts";
import type { Route } from "../../lib/util/routes.ts";
import { type Place, readSecrets, type Settings } from "../../lib/util/settings.ts";
import type { Renderer } from "../../lib/util/templates.ts";
import { answerRequest, type Frame, maintenancePage, refusalPage } from "./answer.ts";
import { guardHead } from "./guard.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import type { Handler, Site } from "./visit.ts";

/** What lies beside the programs in a release. */
export interface ProgramFiles {
  readonly addonFile: string;
  /** Where the index of the pages may be, the best first; in none of them where the site has no search. */
  readonly searchFiles: readonly [string, ...string[]];
}

/** What a process has for all of its requests. */
export interface Ground {
  readonly settings: Settings;
  readonly place: Place;
  readonly renderer: Renderer;
  readonly log: (line: string) => void;
  readonly files: ProgramFiles;
  /** The accounts of this data folder. May fail: then the failure is answered. */
  readonly openAccounts: () => Store;
  readonly hashInTurn: Site["hashInTurn"];
}

/** How long a password waits for its turn to be hashed: less than an answer may take (lib/util/routes.ts). */
export const hashingWaitMs = 20_000;

/** Far more than the few milliseconds of a write, and less than anybody minds. */
const evenMs = 200;

/** For programs without accounts: they work where there is no database, and cannot touch one that is there. */
const noStore: Store = { read: failStore, write: failStore, close: () => undefined };

function failStore(): never {
  throw new Error("assertion failed: only a program with accounts asks for their database");
}

/** What is only looked at goes on while the operator works on the accounts; what looking would write is left out, or comes later. */
function readOnly(store: Store): Store {
  const write = (): Promise<never> =>
    Promise.reject(new TryLater("maintenance is read-only: nothing is written until it is off"));
  return { ...store, write };
}

/** `readWhole` reads the body of a request that may have one. */
export async function serveRequest(
  route: Route,
  handler: Handler,
  head: Request,
  readWhole: () => Request | Promise<Request>,
  ground: Ground,
): Promise<Response> {
  const { settings, place, renderer, log, files } = ground;
  const frame: Frame = { settings, renderer, log, clock: systemClock };
  const early = guardHead(route, head, settings.url);
  if (early !== undefined) return refusalPage(route, frame, early);
  const state = readMaintenance(place.dataFolder);
  if (route.hasAccounts && (state === "on" || (state === "read-only" && head.method === "POST")))
    return maintenancePage(route, frame);
  const openSite = (): Site => ({
    settings,
    secrets: readSecrets(place.secretsFile, route.secrets),
    store: !route.hasAccounts
      ? noStore
      : state === "read-only"
        ? readOnly(ground.openAccounts())
        : ground.openAccounts(),
    search: { file: findIndex(files), addonFile: files.addonFile },
    renderer,
    clock: systemClock,
    passwordCost: standardCost,
    hashInTurn: ground.hashInTurn,
    inEvenTime: (work) => takeAtLeast(evenMs, work),
    log,
  });
  return answerRequest(route, handler, await readWhole(), frame, openSite);
}

/** Where there is none, the best is named to whoever asks in vain. */
function findIndex({ searchFiles }: ProgramFiles): string {
  return searchFiles.find((file) => existsSync(file)) ?? searchFiles[0];
}

/** One line each: what a stranger sent must not pass for a line of ours. */
export function logLine(line: string): void {
  console.error(line.replace(/\p{Cc}+/gu, " | "));
}
