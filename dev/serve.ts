/**
 * The development server's front door: listens, starts the stand-in for Stripe, builds the site, makes the
 * database, keeps the mail sender going, and builds again when a source changes. All that it starts ends with
 * it. Called by `site serve`, and so by `npm start`; nothing of it is part of dist/.
 */
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { type buildSite, findPackage } from "../build/build.ts";
import { stripeApiVersion } from "../lib/payments/stripe/signed.ts";
import type { Clock } from "../lib/util/clock.ts";
import { removeNote, writeNote } from "../lib/util/note.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type Builder, openBuilder } from "./builder.ts";
import type { Files } from "./files.ts";
import { ended } from "./jobs.ts";
import { endServer, listen } from "./listen.ts";
import { type Live, makeLive } from "./live.ts";
import {
  findStripeKey,
  type Place,
  programEnvironment,
  readStandInSecrets,
  takeDataFolder,
  writeStandInSecrets,
} from "./place.ts";
import { whenQuiet } from "./quiet.ts";
import { makeRebuilder } from "./rebuild.ts";
import { startStripe } from "./stripe.ts";
import { watchSources } from "./watch.ts";
import { makeWebServer } from "./web.ts";

export interface DevelopmentOptions {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly dataFolder: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly clock: Clock;
  /** Whether drafts, and pages whose date is to come, are shown. */
  readonly drafts?: boolean;
  readonly future?: boolean;
  readonly log: (line: string) => void;
  /** How a site is built; tests of this server give one of their own, and see its releases alone. */
  readonly build?: typeof buildSite;
  /** After this a program is ended; 30 seconds unless told. */
  readonly programLimitMs?: number;
}

export interface Development {
  readonly url: string;
  /** Ends the servers and all programs. */
  readonly close: () => Promise<void>;
}

/** What ends what was started; the last started ends first. */
type Ends = (() => Promise<void>)[];

/** @throws NeedsHuman if the port is taken, the Stripe key is a live one, or the database cannot be made */
export async function startDevelopment(options: DevelopmentOptions): Promise<Development> {
  const ends: Ends = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    return { url: await startAll(options, ends), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function startAll(options: DevelopmentOptions, ends: Ends): Promise<string> {
  const { sourceFolder, dataFolder, log } = options;
  const ownKey = findStripeKey(sourceFolder);
  takeDataFolder(dataFolder);
  // Listening comes first: a port that is taken is told before anything is built.
  let waiting: string | undefined = "The site is being built.";
  let environment: Readonly<Record<string, string>> = {};
  const live = makeLive(sourceFolder);
  const builder = chooseBuilder(options);
  ends.push(builder.close);
  const url = await startWeb(options, ends, {
    environment: () => environment,
    notReady: () => waiting,
    live,
    preview: builder.preview?.find,
  });
  const stripe = ownKey ?? (await startStandIn(options, ends, url));
  const place: Place = { dataFolder, url, secretsFile: stripe.secretsFile };
  environment = programEnvironment(place);
  writeNote(dataFolder, { pid: process.pid, url, secretsFile: stripe.secretsFile });
  ends.push(async () => removeNote(dataFolder, process.pid));
  const rebuilder = makeRebuilder({
    ...options,
    build: builder.build,
    environment,
    onRelease: builder.preview === undefined ? live.tell : () => undefined,
    onReady: (why) => {
      waiting = why;
    },
  });
  ends.push(rebuilder.close);
  // Watched first, so that what changes during the first build is not missed.
  const rebuild = whenQuiet(buildAfterMs, () => {
    rebuilder
      .rebuild()
      .catch((cause: unknown) => log(cause instanceof Error ? cause.message : String(cause)));
  });
  const tell = whenQuiet(tellAfterMs, live.tell);
  const watching = await watchSources(sourceFolder, (path) => {
    builder.preview?.note(path);
    if (builder.preview !== undefined) tell.call();
    rebuild.call();
  });
  ends.push(watching.close, async () => {
    tell.cancel();
    rebuild.cancel();
  });
  await rebuilder.rebuild();
  log("");
  log(`site:    ${url}/`);
  log(`mailbox: ${url}/mailbox/`);
  log(`Stripe:  ${"url" in stripe ? `a local stand-in at ${stripe.url}; no money moves` : stripeHint(url)}`);
  log("Press Ctrl-C to end.");
  return url;
}

// Editors write a file in several steps, one right behind the other.
const tellAfterMs = 4;
/** What was saved is shown already: programs, and what is wrong elsewhere, may take longer. */
const buildAfterMs = 100;

function chooseBuilder(options: DevelopmentOptions): Builder {
  const { build } = options;
  if (build === undefined) return openBuilder(options, findPackage().codeFolder);
  return { preview: undefined, build: () => build(options), close: async () => undefined };
}

async function startWeb(
  options: DevelopmentOptions,
  ends: Ends,
  state: {
    readonly environment: () => Readonly<Record<string, string>>;
    readonly notReady: () => string | undefined;
    readonly live: Live;
    readonly preview: Files | undefined;
  },
): Promise<string> {
  const running = new Set<ChildProcess>();
  let port = options.port;
  const server = makeWebServer({
    ...state,
    outFolder: options.outFolder,
    mailFolder: join(options.dataFolder, "mail"),
    port: () => port,
    log: options.log,
    running,
    programLimitMs: options.programLimitMs ?? 30_000,
  });
  port = await listen(server, options.port);
  ends.push(async () => {
    await endServer(server);
    await Promise.all([...running].map((child) => ended(child)));
  });
  return `http://127.0.0.1:${port}`;
}

async function startStandIn(
  options: DevelopmentOptions,
  ends: Ends,
  url: string,
): Promise<{ readonly url: string; readonly secretsFile: string }> {
  const { dataFolder, clock, log } = options;
  const secrets = readStandInSecrets(dataFolder);
  const standIn = await startStripe({
    ...secrets,
    port: 0,
    webhookUrl: url + pathOf("stripe-webhook"),
    clock,
    apiVersion: stripeApiVersion,
    log,
  });
  ends.push(standIn.close);
  return { url: standIn.url, secretsFile: writeStandInSecrets(dataFolder, secrets, standIn.url) };
}

function stripeHint(url: string): string {
  return `Stripe itself, with your test key; its events come by: stripe listen --forward-to ${url}${pathOf("stripe-webhook")}`;
}
