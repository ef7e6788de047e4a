/**
 * etc/cluster.yaml: where the site runs, read and checked once, when the site is built. Without the file everything is as its
 * defaults say. Each fact of the generated configuration stands here, in etc/site.yaml, or in the route table, and nowhere else.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Pool, pools as poolNames } from "../../lib/util/routes.ts";
import type { Fault } from "../fault.ts";
import {
  offsetOfKey,
  readChoice,
  readGroup,
  readText,
  readWhole,
  readYaml,
  type Section,
} from "../section.ts";
import { readUtf8 } from "../text.ts";

export interface Cluster {
  /** Holds dist/, data/, log/, run/, upload/, and the secrets file; absolute. */
  readonly home: string;
  /** Where programs find Node, as PATH. */
  readonly path: string;
  /** The address that is listened at, "0.0.0.0" for all. */
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Where people log in to the host; the firewall leaves it open. */
  readonly sshPort: number;
  /** The file with the key, the certificate, and its chain. */
  readonly pemFile: string;
  /** Where certbot keeps what it was given: privkey.pem and fullchain.pem. */
  readonly lineage: string;
  /** What an authority asks for over plain http is looked for here, on each web server. */
  readonly acme: string;
  /** Whether programs stay instead of being started for each request. */
  readonly isResident: boolean;
  readonly users: {
    /** Runs the front web server; its group may speak to hitch and to the programs. */
    readonly web: string;
    /** Runs the programs. Its group has the books, and those in it may write them. */
    readonly programs: string;
    /** Runs the jobs, and owns the books and their backups. */
    readonly jobs: string;
    /** Sends the mail. */
    readonly mail: string;
    readonly hitch: string;
  };
  /** How many programs run at once, and how many of those that hash passwords. */
  readonly pools: Readonly<Record<Pool, number>>;
}

const absolute = /^(?:\/[\w.-]+)+$/;

const keys = [
  "home",
  "path",
  "address",
  "http",
  "https",
  "ssh",
  "pem",
  "lineage",
  "acme",
  "programs",
  "users",
  "pools",
];

/** `host`: the site's own name. */
export function readCluster(
  sourceFolder: string,
  host: string,
): {
  readonly cluster: Cluster;
  readonly faults: readonly Fault[];
} {
  const file = "etc/cluster.yaml";
  const path = join(sourceFolder, file);
  const text = existsSync(path) ? readUtf8(path) : "";
  if (typeof text !== "string") return { cluster: defaults(host), faults: [{ file, ...text }] };
  const { section, faults } = readYaml(file, text, keys);
  return { cluster: section === undefined ? defaults(host) : readKnown(section, host), faults };
}

function defaults(host: string): Cluster {
  const { section } = readYaml("", "{}", keys);
  if (section === undefined) throw new Error("assertion failed: no keys are no fault");
  return readKnown(section, host);
}

function readKnown(section: Section, host: string): Cluster {
  const home = readWord(section, "home", "/srv/site", absolute, "an absolute path, such as /srv/site");
  const users = readGroup(section, "users", ["web", "programs", "jobs", "mail", "hitch"]);
  const pools = readGroup(section, "pools", poolNames);
  const user = (key: string, usual: string): string =>
    readWord(users, key, usual, /^[a-z_][a-z0-9_-]*$/, "the name of a user of the system");
  return {
    home,
    path: readWord(
      section,
      "path",
      "/usr/local/bin:/usr/bin:/bin",
      /^\/[\w./-]+(?::\/[\w./-]+)*$/,
      "absolute folders with colons between them",
    ),
    address: readWord(section, "address", "0.0.0.0", /^(?:\d{1,3}\.){3}\d{1,3}$/, "an IPv4 address"),
    httpPort: readWhole(section, "http", { least: 1, most: 65_535, fallback: 80 }),
    httpsPort: readWhole(section, "https", { least: 1, most: 65_535, fallback: 443 }),
    sshPort: readWhole(section, "ssh", { least: 1, most: 65_535, fallback: 22 }),
    pemFile: readWord(section, "pem", "/etc/hitch/site.pem", absolute, "an absolute path"),
    lineage: readWord(section, "lineage", `/etc/letsencrypt/live/${host}`, absolute, "an absolute path"),
    acme: readWord(section, "acme", `${home}/acme`, absolute, "an absolute path"),
    isResident: readChoice(section, "programs", ["cgi", "resident"], "cgi") === "resident",
    users: {
      web: user("web", "site-web"),
      programs: user("programs", "accounts"),
      jobs: user("jobs", "site-jobs"),
      mail: user("mail", "site-mail"),
      hitch: user("hitch", "_hitch"),
    },
    pools: {
      pages: readWhole(pools, "pages", { least: 1, most: 1000, fallback: 4 }),
      paying: readWhole(pools, "paying", { least: 1, most: 1000, fallback: 4 }),
      hashing: readWhole(pools, "hashing", { least: 1, most: 100, fallback: 2 }),
    },
  };
}

/** What stands in configuration as it is has a form that needs no quoting there. */
function readWord(section: Section, key: string, usual: string, form: RegExp, what: string): string {
  const word = readText(section, key, usual);
  if (form.test(word)) return word;
  section.reader.report(offsetOfKey(section, key), `"${key}" must be ${what}`);
  return usual;
}
