/**
 * Who reads which secret. The operator's file has all of them and is root's alone; each user of the host has a file of its own with
 * those that its programs ask for, by the route table and the table of jobs, so that whoever takes over the mail sender has no key to
 * Stripe. Called by cli/secrets; check.ts looks whether it is so.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { NeedsHuman } from "../../lib/util/failure.ts";
import { type Owner, writePrivate } from "../../lib/util/files.ts";
import { jobNeeds, type Runner } from "../../lib/util/jobs.ts";
import { routes } from "../../lib/util/routes.ts";
import { readSecrets, type SecretName, type Secrets, secretNames } from "../../lib/util/settings.ts";
import type { Cluster } from "./cluster.ts";

export interface Reader {
  /** What it runs: the name of its file in keys/, too. */
  readonly name: Runner;
  readonly user: string;
  readonly secrets: readonly SecretName[];
}

/** For development alone: it leads programs away from Stripe. */
const ofDevelopment: SecretName = "stripe_api";

export function listReaders({ users }: Cluster): readonly Reader[] {
  const needs = [
    ...routes.map(({ secrets }) => ({ runner: "programs", secrets })),
    ...Object.values(jobNeeds),
  ];
  return (["programs", "jobs", "mail"] as const).map((name) => {
    const wanted = needs.filter(({ runner }) => runner === name).flatMap(({ secrets }) => secrets);
    // Whoever works on the books opens them.
    const own = new Set<SecretName>([...wanted, "store_password"]);
    const secrets = secretNames.filter((secret) => own.has(secret) && secret !== ofDevelopment);
    return { name, user: users[name], secrets };
  });
}

export const masterOf = ({ home }: Cluster): string => join(home, "secrets");
export const keysOf = ({ home }: Cluster, { name }: Pick<Reader, "name">): string => join(home, "keys", name);

export function readMaster(cluster: Cluster): Secrets {
  const file = masterOf(cluster);
  if (!existsSync(file)) throw new NeedsHuman(`${file} is not there; etc/secrets.example says what it holds`);
  const secrets = readSecrets(file, secretNames);
  if (secrets[ofDevelopment] !== undefined)
    throw new NeedsHuman(`${file}: ${ofDevelopment} is for development alone; take it out`);
  return secrets;
}

/** What a reader's own file says. */
export function writeShare({ secrets }: Reader, all: Secrets): string {
  return secrets.flatMap((name) => (all[name] === undefined ? [] : [`${name} = ${all[name]}\n`])).join("");
}

/**
 * Gives each user its own file, by root alone; answers whose is another one now.
 * @param hasUsers whether the machine has them; a test's may not
 * @throws NeedsHuman if the operator's file is not right, or a user is not there
 */
export function shareSecrets(cluster: Cluster, hasUsers = true): readonly string[] {
  const all = readMaster(cluster);
  const readers = listReaders(cluster).map((reader) => ({
    ...reader,
    owner: hasUsers ? findOwner(reader.user) : undefined,
  }));
  mkdirSync(join(cluster.home, "keys"), { recursive: true, mode: 0o711 });
  return readers.flatMap((reader) => {
    const [file, text] = [keysOf(cluster, reader), writeShare(reader, all)];
    if (isSame(file, text, reader.owner)) return [];
    writePrivate(file, text, { owner: reader.owner });
    return [reader.name];
  });
}

function isSame(file: string, text: string, owner: Owner | undefined): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & 0o777) !== 0o600) return false;
  if (owner !== undefined && (found.uid !== owner.uid || found.gid !== owner.gid)) return false;
  return readFileSync(file, "utf8") === text;
}

/** Who a user of the system is; undefined where nobody but us can be the owner, since this is not root. */
export function findOwner(user: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ["-u", "-g"].map((which) => {
    const { status, stdout } = spawnSync("id", [which, user], { encoding: "utf8" });
    if (status !== 0)
      throw new NeedsHuman(
        `there is no user ${user}; run: adduser --system --group --no-create-home ${user}`,
      );
    return Number(stdout);
  });
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
