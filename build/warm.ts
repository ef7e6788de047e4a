/**
 * What V8 makes of the programs of a release, kept for their next starts: each is run once, for an account that is thrown away
 * afterwards, and what its code was compiled to is left in dist/warm/. A program takes it where this Node made it of this very script, and
 * runs without it elsewhere, a quarter slower. Called by cli/warm.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccount } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { beginSession } from "../lib/accounts/session.ts";
import { postTransfer } from "../lib/ledger/transfer.ts";
import { amountOf } from "../lib/money/amount.ts";
import { migrateStore } from "../lib/store/migrate.ts";
import { openStore } from "../lib/store/sqlite.ts";
import type { Clock } from "../lib/util/clock.ts";
import { assert, NeedsHuman } from "../lib/util/failure.ts";
import { randomToken } from "../lib/util/random.ts";
import type { Route } from "../lib/util/routes.ts";
import {
  cacheName,
  hasEngine,
  type LaunchedRoute,
  listLaunched,
  scriptPath,
  warmFolder,
} from "./launcher.ts";
import { findPackage } from "./package.ts";
import { pretendedPassword } from "./pretence.ts";
import { addonPath } from "./release.ts";

export interface Warmed {
  /** Its route's name, "login". */
  readonly name: string;
  readonly scriptBytes: number;
  readonly cacheBytes: number;
  /** Node's own modules that it loads besides those of an empty program: none is the quickest. */
  readonly loaded: readonly string[];
  /** The status of the answer that it was warmed by. */
  readonly status: number;
  /** That of the second answer, by way of a server's driver; 0 where the site has no server, or the program asks none. */
  readonly statusOnServer: number;
}

/** Whom and what the requests are of. */
interface Fixture {
  readonly environment: NodeJS.ProcessEnv;
  readonly account: string;
}

/**
 * Warms each program of a release, and clears away what belongs to no release.
 * @throws NeedsHuman if there is no release, or a program ends without an answer
 */
export async function warmRelease(options: {
  readonly outFolder: string;
  /** Which release; the current one unless told. */
  readonly id?: string;
  readonly clock: Clock;
  /** Hears which program is run, and how many there are. */
  readonly onProgram?: (name: string, done: number, all: number) => void;
}): Promise<readonly Warmed[]> {
  const { outFolder, id, clock, onProgram = () => undefined } = options;
  const current = join(outFolder, id === undefined ? "current" : join("releases", id));
  if (!existsSync(current)) throw new NeedsHuman(`${current}: there is no release yet; run: site build`);
  const release = realpathSync(current);
  const folder = join(realpathSync(outFolder), warmFolder);
  mkdirSync(folder, { recursive: true });
  const place = mkdtempSync(join(tmpdir(), "picodollar-warm-"));
  try {
    const fixture = await makeFixture(place, join(release, addonPath), clock);
    // One that stays starts once, and is not among them.
    const all = listLaunched(release);
    const warmed = all.map((launched, index) => {
      onProgram(launched.route.name, index, all.length);
      return warmProgram(launched, { release, folder, fixture });
    });
    sweepCaches(outFolder, folder);
    return warmed;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The programs of a release for which nothing is kept of this version of Node, "v20.19.0". */
export function listCold(outFolder: string, release: string, version: string): readonly LaunchedRoute[] {
  return listLaunched(release).filter(
    (launched) => !existsSync(join(outFolder, warmFolder, cacheName(launched, version))),
  );
}

const serviceToken = "warm";
const url = "http://127.0.0.1:1";

/** An account with a session and a movement of money, in books of its own. */
async function makeFixture(place: string, addonFile: string, clock: Clock): Promise<Fixture> {
  const store = { file: join(place, "books.sqlite"), clock, addonFile };
  migrateStore(store);
  const secretsFile = join(place, "secrets");
  const key = "0123456789abcdef".repeat(4);
  const secrets = `usage_token = ${serviceToken}\naccount_key = ${key}\nstripe_key = sk_test_warm\nstripe_webhook_secret = whsec_warm\nstore_password = ${pretendedPassword}\n`;
  writeFileSync(secretsFile, secrets, { mode: 0o600 });
  const [session, email] = [randomToken(), parseEmail("warm@example.org")];
  assert(email !== undefined, "that is an address");
  const opened = openStore(store);
  try {
    const account = await opened.write(async (tx) => {
      const id = await openAccount(tx, email, "");
      await beginSession(tx, id, session, { browser: "", network: "127.0.0.1" });
      const transfer = {
        id: "gift/warm",
        code: "gift",
        debit: "goodwill",
        credit: id,
        reference: "warm",
      } as const;
      await postTransfer(tx, { ...transfer, amount: amountOf(10n ** 18n) });
      return id;
    });
    const environment = {
      SITE_DATA: place,
      SITE_SECRETS: secretsFile,
      SITE_URL: url,
      SITE_STORE: "sqlite",
      HTTP_HOST: new URL(url).host,
      HTTP_COOKIE: `session=${session}`,
      HTTP_AUTHORIZATION: `Bearer ${serviceToken}`,
      REMOTE_ADDR: "127.0.0.1",
    };
    return { environment, account };
  } finally {
    opened.close();
  }
}

function warmProgram(
  launched: LaunchedRoute,
  {
    release,
    folder,
    fixture,
  }: { readonly release: string; readonly folder: string; readonly fixture: Fixture },
): Warmed {
  const { route, switches, scripts } = launched;
  const cache = join(folder, cacheName(launched, process.version));
  const program = join(release, "cgi", route.path);
  const { codeFolder, codeEnding } = findPackage();
  const runner = join(codeFolder, "build", `warming${codeEnding}`);
  const { environment, body } = ask(route, fixture);
  const isOnServer = hasEngine(launched);
  const words = [...switches, runner, release, cache, program];
  const { stdout, stderr } = spawnSync(process.execPath, isOnServer ? [...words, "server"] : words, {
    encoding: "utf8",
    env: environment,
    input: isOnServer ? body + body : body,
    // An archive of everything is among the answers.
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  const [status, onServer = "0"] = [...stdout.matchAll(/Status: (\d{3})\r\n/g)].map(([, code]) => code);
  const cacheBytes = statSync(cache, { throwIfNoEntry: false })?.size;
  if (status === undefined || cacheBytes === undefined)
    throw new NeedsHuman(`${program}: it ended without an answer: ${stderr.trim().split("\n")[0] ?? ""}`);
  const { loaded } = JSON.parse(stderr.slice(stderr.lastIndexOf("\n"))) as Pick<Warmed, "loaded">;
  const scriptBytes = scripts.reduce(
    (sum, script) => sum + statSync(join(release, scriptPath(script))).size,
    0,
  );
  return {
    ...{ name: route.name, scriptBytes, cacheBytes, loaded },
    ...{ status: Number(status), statusOnServer: Number(onServer) },
  };
}

/** A request that a program answers well, or refuses late. */
function ask(
  route: Route,
  { environment, account }: Fixture,
): { environment: NodeJS.ProcessEnv; body: string } {
  const method = route.methods[0] ?? "GET";
  const queries: Readonly<Record<string, string>> = {
    search: "q=help",
    data: "what=balance",
    receipt: "order=none",
  };
  const isOfService = route.secrets.includes("usage_token");
  const body = method === "POST" ? "{}\n" : "";
  return {
    environment: {
      ...environment,
      // Whoever shows a token needs no cookie, and the other way round.
      ...(isOfService ? { HTTP_COOKIE: "" } : { HTTP_AUTHORIZATION: "" }),
      REQUEST_METHOD: method,
      SCRIPT_NAME: route.path,
      QUERY_STRING: queries[route.name] ?? (isOfService && method === "GET" ? `account=${account}` : ""),
      CONTENT_LENGTH: body === "" ? "" : String(body.length),
      CONTENT_TYPE: "application/json",
    },
    body,
  };
}

/** What no release has the scripts for, or another Node made, is of no use any more. */
function sweepCaches(outFolder: string, folder: string): void {
  const releases = readdirSync(join(outFolder, "releases"));
  const all = releases.flatMap((id) => listLaunched(join(outFolder, "releases", id)));
  const wanted = new Set(all.map((launched) => cacheName(launched, process.version)));
  for (const name of readdirSync(folder)) if (!wanted.has(name)) rmSync(join(folder, name), { force: true });
}
