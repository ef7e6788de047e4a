/**
 * A site with its programs, warmed, and an account that is logged in, for `npm run bench -- cgi`. Called by cgi.ts.
 */
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSite } from "../../build/build.ts";
import { initSite } from "../../build/init.ts";
import { warmRelease } from "../../build/warm.ts";
import { openAccount } from "../../lib/accounts/account.ts";
import { parseEmail } from "../../lib/accounts/email.ts";
import { beginSession } from "../../lib/accounts/session.ts";
import { postTransfer } from "../../lib/ledger/transfer.ts";
import { amountOf } from "../../lib/money/amount.ts";
import { type BooksOptions, openBooks } from "../../lib/store/open.ts";
import { migrateBooks } from "../../lib/store/upgrade.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { assert } from "../../lib/util/failure.ts";
import { randomToken } from "../../lib/util/random.ts";
import { addressOf, clusterPassword, makeCluster } from "./cluster.ts";

export interface ProgramSite {
  /** dist/current. */
  readonly release: string;
  /** The same release where nothing is warm. */
  readonly coldRelease: string;
  /** Of the programs: where the data is, and what the site is called. */
  readonly environment: Readonly<Record<string, string>>;
  /** "session=...", logged in. */
  readonly cookie: string;
  readonly host: string;
  /** Programs of one line to compare with, as anybody would write them. */
  readonly helloNode: string;
  readonly helloPython: string;
}

export async function makeProgramSite(home: string, port: number): Promise<ProgramSite> {
  const [source, dataFolder] = [join(home, "source"), join(home, "data")];
  initSite(source);
  writeFileSync(join(source, "etc", "cluster.yaml"), "programs: resident\n");
  const [warm, cold] = [join(home, "warm"), join(home, "cold")];
  for (const outFolder of [warm, cold]) {
    const built = await buildSite({ sourceFolder: source, outFolder, clock: systemClock });
    assert(built.ok, "the starter builds");
  }
  await warmRelease({ outFolder: warm, clock: systemClock });
  mkdirSync(dataFolder);
  const token = await makeCustomer(join(dataFolder, "books.sqlite"));
  const hello = (name: string, text: string): string => {
    const file = join(home, "hello", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  };
  const answer = "Content-Type: text/plain\\n\\nHello, world";
  return {
    release: join(warm, "current"),
    coldRelease: join(cold, "current"),
    environment: { SITE_DATA: dataFolder, SITE_URL: `http://127.0.0.1:${port}` },
    cookie: `session=${token}`,
    host: `127.0.0.1:${port}`,
    helloNode: hello("node.cgi", `#!/usr/bin/env node\nconsole.log("${answer}");\n`),
    helloPython: hello("python.cgi", `#!/usr/bin/env python3\nprint("${answer}")\n`),
  };
}

/** The same site with its books on a server, warmed; how each asks who somebody is. */
export interface ServerSite {
  readonly release: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly cookie: string;
}

export async function makeServerSite(home: string, login: "trust" | "scram-sha-256", port: number) {
  const [cluster, folder] = [makeCluster({ login, isSafe: true }), join(home, login)];
  const [source, outFolder, secretsFile] = ["source", "warm", "secrets"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  try {
    const postgres = { address: addressOf(cluster, "postgres"), password: clusterPassword };
    initSite(source);
    appendFileSync(join(source, "etc", "site.yaml"), `store: ${postgres.address}\n`);
    const built = await buildSite({ sourceFolder: source, outFolder, clock: systemClock });
    assert(built.ok, "the starter builds");
    await warmRelease({ outFolder, clock: systemClock });
    writeFileSync(secretsFile, `store_password = ${postgres.password}\n`, { mode: 0o600 });
    const token = await makeCustomer("", postgres);
    const environment = {
      SITE_DATA: folder,
      SITE_SECRETS: secretsFile,
      SITE_URL: `http://127.0.0.1:${port}`,
    };
    const site: ServerSite = { release: join(outFolder, "current"), environment, cookie: `session=${token}` };
    return { site, end: cluster.end };
  } catch (error) {
    cluster.end();
    throw error;
  }
}

/** A customer with a month's movements; the token of a session. */
export async function makeCustomer(file: string, postgres?: BooksOptions["postgres"]): Promise<string> {
  const options: BooksOptions = { file, clock: systemClock, postgres };
  await migrateBooks(options);
  const [store, email, token] = [openBooks(options), parseEmail("mira@example.com"), randomToken()];
  assert(email !== undefined, "that is an address");
  await store.write(async (tx) => {
    const account = await openAccount(tx, email, "");
    await beginSession(tx, account, token, { browser: "", network: "127.0.0.1" });
    for (let n = 1; n <= 30; n += 1) {
      const transfer = { id: `gift/${n}`, code: "gift", debit: "goodwill", credit: account } as const;
      await postTransfer(tx, { ...transfer, amount: amountOf(10n ** 17n), reference: `gift ${n}` });
    }
  });
  store.close();
  return token;
}
