/**
 * The front door of every CGI program: one process, one request. The build puts a call of `runProgram` behind
 * each handler. The last byte written is the last thing done: the web server ends a program two or three
 * milliseconds after it (lighttpd's mod_cgi), so everything is committed before.
 */
import { chooseBooks, openBooks } from "../../lib/store/open.ts";
import { withSlot } from "../../lib/store/slot.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { routes } from "../../lib/util/routes.ts";
import { applyPlace, readPlace } from "../../lib/util/settings.ts";
import { type Baked, makeRenderer } from "../../lib/util/templates.ts";
import { failurePage } from "./answer.ts";
import { type Request, readBody, readRequest } from "./request.ts";
import { formatCgi, type Response, writeAll } from "./response.ts";
import { hashingWaitMs, logLine, type ProgramFiles, serveRequest } from "./serve.ts";
import type { Handler } from "./visit.ts";

/** Answers the one request of this process, and ends it. */
export async function runProgram(
  name: string,
  handler: Handler,
  baked: Baked,
  files: ProgramFiles,
): Promise<never> {
  const head = readRequest();
  writeAll(formatCgi(await answerProcess(name, handler, baked, files, head), head.method));
  // Closing the database would cost a checkpoint; the next program finds the write-ahead log as it is.
  process.exit(0);
}

async function answerProcess(
  name: string,
  handler: Handler,
  baked: Baked,
  files: ProgramFiles,
  head: Request,
): Promise<Response> {
  const route = routes.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`assertion failed: no route is named ${name}`);
  const renderer = makeRenderer(baked);
  const log = logLine;
  try {
    const place = readPlace();
    const { addonFile } = files;
    const slots = { folder: place.dataFolder, name: "hashing", count: 2, waitMs: hashingWaitMs, addonFile };
    const settings = applyPlace(baked.settings, place);
    return await serveRequest(route, handler, head, () => readBody(head, route), {
      settings,
      place,
      renderer,
      log,
      files,
      openAccounts: () => openBooks(chooseBooks(settings, place, { clock: systemClock, addonFile })),
      hashInTurn: (work) => withSlot(slots, work),
    });
  } catch (cause) {
    return failurePage(route, { settings: baked.settings, renderer, log, clock: systemClock }, cause);
  }
}
