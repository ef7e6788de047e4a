/**
 * Whose the folders and files of a host are, and who may look: the books are the programs', the jobs', and the mail sender's, and each of
 * these has its own secrets alone. Called by check.ts.
 */
import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { NeedsHuman } from "../../lib/util/failure.ts";
import type { Cluster } from "./cluster.ts";
import { type Finding, right, wrong } from "./finding.ts";
import { findOwner, keysOf, listReaders, masterOf, readMaster, writeShare } from "./secrets.ts";

export function checkModes(cluster: Cluster): readonly Finding[] {
  const { home } = cluster;
  const make = `run: systemd-tmpfiles --create ${home}/dist/current/etc/tmpfiles.conf`;
  const master = masterOf(cluster);
  return [
    look("data", join(home, "data"), 0o770, make),
    look("books", join(home, "data", "books.sqlite"), 0o660, "run: site migrate"),
    look("secrets", master, 0o600, `make it with mode 600, and ${make}`),
    ...["run", "log", "upload"].map((name) => look(name, join(home, name), 0o770, make)),
    ...checkShares(cluster),
  ];
}

function look(what: string, file: string, most: number, fix: string): Finding {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return wrong(what, `${file} is not there; ${fix}`);
  return (found.mode & 0o777 & ~most) === 0
    ? right(what)
    : wrong(what, `${file}: more may look at it than should; ${fix}`);
}

/** Each user's own secrets: whether they are its own, and the newest. */
function checkShares(cluster: Cluster): readonly Finding[] {
  const fix = "run: site secrets share";
  return listReaders(cluster).map((reader) => {
    const [what, file] = [`keys/${reader.name}`, keysOf(cluster, reader)];
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return wrong(what, `${file} is not there; ${fix}`);
    if ((found.mode & 0o177) !== 0) return wrong(what, `${file}: more may look at it than its owner; ${fix}`);
    return judgeOwn(reader, found, { cluster, file }) ?? right(what);
  });
}

/** What only root can tell; undefined where all is right. */
function judgeOwn(
  reader: ReturnType<typeof listReaders>[number],
  { uid }: Stats,
  { cluster, file }: { readonly cluster: Cluster; readonly file: string },
): Finding | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [what, fix] = [`keys/${reader.name}`, "run: site secrets share"];
  try {
    const owner = findOwner(reader.user);
    if (owner !== undefined && owner.uid !== uid)
      return wrong(what, `${file} is not ${reader.user}'s; ${fix}`);
    const isNewest = readFileSync(file, "utf8") === writeShare(reader, readMaster(cluster));
    return isNewest ? undefined : wrong(what, `${masterOf(cluster)} says something else by now; ${fix}`);
  } catch (error) {
    if (error instanceof NeedsHuman) return wrong(what, error.message);
    throw error;
  }
}
