/**
 * Where the books are opened: in SQLite's file in the data folder, or on the PostgreSQL server that the site has chosen. Whoever has the
 * store does not see which it is. Called by cgi/support, jobs/run, and the tests.
 */
import { join } from "node:path";
import { type Place, readSecrets, type Settings } from "../util/settings.ts";
import type { SqliteOptions } from "./database.ts";
import type { PostgresOptions } from "./postgres/connection.ts";
import { openStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

export interface BooksOptions extends SqliteOptions {
  /** Where the books are on a server, and not in the file. */
  readonly postgres?: PostgresOptions | undefined;
}

/** The books that the settings name, at a place. */
export function chooseBooks(
  { store }: Pick<Settings, "store">,
  { dataFolder, secretsFile }: Pick<Place, "dataFolder" | "secretsFile">,
  own: Pick<SqliteOptions, "clock" | "addonFile">,
): BooksOptions {
  const file = join(dataFolder, "books.sqlite");
  if (store === "sqlite") return { ...own, file };
  const { store_password: password } = readSecrets(secretsFile, ["store_password"]);
  return { ...own, file, postgres: { address: store, password } };
}

/**
 * A server is first spoken to by the first transaction, so what is wrong with it is told there.
 * @throws NeedsHuman naming the file if it is missing, is not ours, or wants `site migrate`
 */
export function openBooks(options: BooksOptions): Store {
  const { postgres, clock } = options;
  if (postgres === undefined) return openStore(options);
  let opened: Promise<Store> | undefined;
  const open = (): Promise<Store> => {
    opened ??= import("./postgres/door.ts").then(({ openPostgres }) => openPostgres({ ...postgres, clock }));
    return opened;
  };
  return {
    read: async (work) => (await open()).read(work),
    write: async (work, pace) => (await open()).write(work, pace),
    close: () => void opened?.then((store) => store.close()),
  };
}
