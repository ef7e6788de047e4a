/**
 * The release that was built here, sent to a host: by rsync over ssh, so that what did not change is a link to the release before; what
 * was broken off goes on where it ended. The host's own `site take` decides whether it is served. Called by cli/publish.
 */
import { spawnSync } from "node:child_process";
import { basename } from "node:path";
import { NeedsHuman, TryLater } from "../../lib/util/failure.ts";
import { inheritedAgent, inheritedHome, inheritedPath } from "../../lib/util/settings.ts";
import { readCurrent } from "../shelf.ts";
import { readHostSettings } from "./place.ts";
import { incomingName, type Taken } from "./take.ts";

export interface SendOptions {
  readonly sourceFolder: string;
  readonly outFolder: string;
  /** As ssh knows it, "root@web1.example.com". */
  readonly host: string;
  /** The words that log in, "ssh -p 2222"; none may hold a blank. */
  readonly ssh: readonly string[];
  /** The words that are the command on the host, "sudo site". */
  readonly site: readonly string[];
  /** What `site take` is given besides. */
  readonly flags: readonly string[];
  readonly isDry: boolean;
  readonly onStage?: (what: string) => void;
}

export type Sent =
  | { readonly outcome: "same"; readonly id: string }
  | {
      readonly outcome: "taken" | "refused" | "only tried";
      readonly id: string;
      /** Files and bytes that went over the wire, or would. */
      readonly files: number;
      readonly bytes: number;
      /** What the host said; undefined where it was not asked. */
      readonly taken: Taken | undefined;
    };

/** What `site rollback --list --json` says. */
interface Listed {
  readonly ids: readonly string[];
  readonly current?: string;
  readonly told?: string;
}

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

/** @throws NeedsHuman if there is nothing to send or nobody can log in; TryLater if the way broke off */
export function sendRelease(options: SendOptions): Sent {
  const { sourceFolder, outFolder, host, site, isDry, onStage = () => undefined } = options;
  const { cluster } = readHostSettings(sourceFolder);
  const release = readCurrent(outFolder);
  if (release === undefined) throw new NeedsHuman(`${outFolder}: nothing is built here; run: site build`);
  if (!/^(?:[\w.-]+@)?[\w.:[\]-]+$/.test(host) || host.startsWith("-"))
    throw new NeedsHuman(`"${host}" is no host; say it as ssh knows it: root@web1.example.com`);
  const [id, dist] = [basename(release), `${cluster.home}/dist`];
  onStage(`asking ${host}`);
  const listed = askHost(options, [...site, "rollback", "--list", "--json", "--source", "/", "--out", dist]);
  const { ids, current, told } = readJson<Listed>(listed, host);
  if (current === id && told === id) return { outcome: "same", id };
  const isThere = ids.includes(id);
  onStage(`sending ${id}`);
  const { files, bytes } = isThere
    ? { files: 0, bytes: 0 }
    : copyRelease(options, { release, dist, current });
  if (isDry) return { outcome: "only tried", id, files, bytes, taken: undefined };
  onStage(`${host} tries ${id}`);
  const words = [...site, "take", id, "--json", "--out", dist, ...options.flags];
  const taken = readJson<Taken>(askHost(options, words), host);
  return { outcome: taken.ok ? "taken" : "refused", id, files, bytes, taken };
}

function copyRelease(
  { host, ssh, isDry }: SendOptions,
  {
    release,
    dist,
    current,
  }: { readonly release: string; readonly dist: string; readonly current?: string | undefined },
): { readonly files: number; readonly bytes: number } {
  const before = current === undefined ? [] : [`--link-dest=${dist}/releases/${current}`];
  // Neither owner nor group: they are the host's own.
  const how = ["-rlptz", "--delete", "--mkpath", "--stats", ...(isDry ? ["--dry-run"] : []), ...before];
  const to = `${host}:${dist}/${incomingName}/${basename(release)}/`;
  const { status, out, error } = run("rsync", [...how, "-e", ssh.join(" "), `${release}/`, to]);
  if (status === 127) throw new NeedsHuman("rsync is not installed here; run: apt-get install rsync");
  if (status !== 0) throw new TryLater(`${host} was not sent everything; publish again: ${lastLine(error)}`);
  const read = (name: string): number => {
    const [, number = "0"] = new RegExp(`^${name}: ([\\d,.]+)`, "m").exec(out) ?? [];
    return Number(number.replace(/[,.]/g, ""));
  };
  return { files: read("Number of regular files transferred"), bytes: read("Total transferred file size") };
}

function askHost({ host, ssh }: SendOptions, words: readonly string[]): Ran {
  const [program = "", ...more] = ssh;
  const ran = run(program, [...more, host, words.map(quote).join(" ")]);
  if (ran.status === 255) throw new NeedsHuman(`${host}: nobody can log in: ${lastLine(ran.error)}`);
  if (ran.status === 127)
    throw new NeedsHuman(`${host}: ${words[0]} is not there; install the package, or say what it is: --site`);
  return ran;
}

/** What a command of ours printed; a refusal ends with 1 and is printed too. */
function readJson<Value>({ status, out, error }: Ran, host: string): Value {
  if (status !== 0 && status !== 1) {
    const said = `${host} ended with ${status}: ${error.trim() || out.trim()}`;
    throw status === 111 ? new TryLater(said) : new NeedsHuman(said);
  }
  try {
    return JSON.parse(out) as Value;
  } catch (cause) {
    throw new NeedsHuman(`${host} does not say what it should: ${lastLine(error) || lastLine(out)}`, {
      cause,
    });
  }
}

/** A word as a shell takes it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function run(program: string, words: readonly string[]): Ran {
  const env = { PATH: inheritedPath(), HOME: inheritedHome(), LC_ALL: "C", ...inheritedAgent() };
  const { error, status, stdout, stderr } = spawnSync(program, words, {
    encoding: "utf8",
    env,
    stdio: ["inherit", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) return { status: 127, out: "", error: error.message };
  return { status: status ?? 111, out: stdout, error: stderr };
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
