/**
 * Whether the programs of a release work on this machine and on these books: a few of them are run as the web server would, and
 * what is asked of them changes nothing. Called by host/take.ts.
 */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Owner } from "../lib/util/files.ts";
import { readMaintenance } from "../lib/util/maintenance.ts";
import { routes } from "../lib/util/routes.ts";
import { findDamaged, readEntries } from "./verify.ts";

const url = "http://127.0.0.1:1";
const stranger = `session=${"A".repeat(43)}`;

/** Which programs are asked what, and the status that is right. */
const asked: readonly (readonly [name: string, query: string, status: string])[] = [
  ["login", "", "200"],
  ["account", "", "303"],
  ["search", "q=help", "200"],
];

/** In a data folder, where no server has them. */
export const booksName = "books.sqlite";

export interface Books {
  readonly dataFolder: string;
  /** Where the password of a server is that has the books; "" where there is none. */
  readonly secretsFile: string;
  /** As whom programs are run on them; undefined: as whoever we are. */
  readonly owner: Owner | undefined;
}

/** What of a release is not as its manifest says, a line each. */
export function checkFiles(release: string): readonly string[] {
  const listed = readEntries(release);
  if (listed === undefined) return ["it has no manifest"];
  return findDamaged(release, listed).map(({ path, what }) => `${path} is ${what}`);
}

/** What is wrong with a release, a line each; none where all is right. */
export function smokeRelease(release: string, books: Books): readonly string[] {
  const damaged = checkFiles(release);
  return damaged.length > 0 ? damaged : withoutMaintenance(books, (open) => smokePrograms(release, open));
}

/**
 * While the operator works on the accounts, programs say so and nothing else, whether or not they could work: they are tried in a folder
 * of their own, from which a link leads to the same books.
 */
function withoutMaintenance<Result>(books: Books, work: (open: Books) => Result): Result {
  const { dataFolder, owner } = books;
  if (readMaintenance(dataFolder) === "off") return work(books);
  const folder = mkdtempSync(join(dataFolder, ".try-"));
  try {
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    symlinkSync(join("..", booksName), join(folder, booksName));
    return work({ ...books, dataFolder: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function smokePrograms(release: string, { dataFolder, secretsFile, owner }: Books): readonly string[] {
  return asked.flatMap(([name, query, wanted]) => {
    const path = routes.find((route) => route.name === name)?.path ?? "";
    const program = join(realpathSync(release), "cgi", path);
    if (!existsSync(program)) return name === "search" ? [] : [`${path} is not there`];
    const { stdout, stderr } = spawnSync(process.execPath, [program], {
      encoding: "utf8",
      ...owner,
      env: {
        SITE_DATA: dataFolder,
        SITE_SECRETS: secretsFile,
        SITE_URL: url,
        REQUEST_METHOD: "GET",
        SCRIPT_NAME: path,
        QUERY_STRING: query,
        HTTP_HOST: new URL(url).host,
        HTTP_COOKIE: stranger,
        REMOTE_ADDR: "127.0.0.1",
      },
    });
    const status = /^Status: (\d{3})/.exec(stdout)?.[1];
    if (status === wanted) return [];
    const why = stderr.split("\n").find((line) => /\w/.test(line)) ?? "";
    return [`${path} answers with ${status ?? "nothing"}, not ${wanted}: ${why}`];
  });
}
