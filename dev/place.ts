/**
 * What belongs to this place while a site is developed: its data folder, the secrets of the Stripe stand-in, and
 * the environment that programs get. Called by dev/serve.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { NeedsHuman } from "../lib/util/failure.ts";
import { writePrivate } from "../lib/util/files.ts";
import { readNote } from "../lib/util/note.ts";
import { randomBuffer, randomToken } from "../lib/util/random.ts";
import { inheritedPath, readSecrets, type Secrets, secretNames } from "../lib/util/settings.ts";

export interface Place {
  readonly dataFolder: string;
  /** Address of the development server. */
  readonly url: string;
  readonly secretsFile: string;
}

export interface StandInSecrets {
  /** Seals second factors, as the real one does. */
  readonly accountKey: string;
  readonly key: string;
  readonly webhookSecret: string;
}

/** The site's own secrets file, if it has one with a Stripe key in it: then Stripe itself is used. */
export function findStripeKey(sourceFolder: string): { readonly secretsFile: string } | undefined {
  const secretsFile = join(sourceFolder, "etc", "secrets");
  if (!existsSync(secretsFile)) return undefined;
  const { stripe_key: key } = readSecrets(secretsFile, secretNames);
  if (key === undefined) return undefined;
  if (/^[a-z]+_live_/.test(key))
    throw new NeedsHuman(
      `${secretsFile}: stripe_key is a live key, and site serve is for development; put a test key (sk_test_...) here, or take the line out to use the local stand-in`,
    );
  return { secretsFile };
}

/**
 * Makes the data folder, readable by nobody else.
 * @throws NeedsHuman if another development server is at work on it: each would change the other's secrets
 */
export function takeDataFolder(dataFolder: string): void {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const other = readNote(dataFolder);
  if (other !== undefined && other.pid !== process.pid)
    throw new NeedsHuman(
      `${dataFolder}: site serve is at work on this data folder already, at ${other.url} (process ${other.pid}); end it, or choose another folder: SITE_DATA=... site serve`,
    );
}

/** The stand-in's key and webhook secret: those of the last start, so that what was signed stays proved. */
export function readStandInSecrets(dataFolder: string): StandInSecrets {
  const file = standInFile(dataFolder);
  const kept: Secrets = existsSync(file) ? readSecrets(file, secretNames) : {};
  return {
    key: kept.stripe_key ?? `sk_test_standin_${randomToken(18)}`,
    webhookSecret: kept.stripe_webhook_secret ?? `whsec_${randomToken(24)}`,
    accountKey: kept.account_key ?? randomBuffer(32).toString("hex"),
  };
}

/** Writes the secrets file of the programs; answers its path. */
export function writeStandInSecrets(dataFolder: string, secrets: StandInSecrets, standInUrl: string): string {
  const text = `# Written by site serve: the local stand-in for Stripe. No money moves with these.
stripe_key = ${secrets.key}
stripe_webhook_secret = ${secrets.webhookSecret}
stripe_api = ${standInUrl}
account_key = ${secrets.accountKey}
`;
  return writePrivate(standInFile(dataFolder), text);
}

/** All that programs and jobs get of our environment; the real web server gives no more. */
export function programEnvironment(place: Place): Readonly<Record<string, string>> {
  return {
    PATH: inheritedPath(),
    SITE_DATA: place.dataFolder,
    SITE_SECRETS: place.secretsFile,
    SITE_URL: place.url,
    SITE_MAIL: "folder",
    SITE_STORE: "sqlite",
  };
}

function standInFile(dataFolder: string): string {
  return join(dataFolder, "development-secrets");
}
