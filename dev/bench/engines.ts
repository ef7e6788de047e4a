/** Where `bench -- store` keeps its books: in files, or in databases of a server of its own; made once and copied. Called by store.ts. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connectFile, prepare } from "../../lib/store/database.ts";
import { type BooksOptions, openBooks } from "../../lib/store/open.ts";
import { migrateBooks } from "../../lib/store/upgrade.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { fillStore, makeAccounts } from "./accounts.ts";
import { type Bare, bareFile, bareServer } from "./bare.ts";
import { addressOf, type Cluster, clusterPassword } from "./cluster.ts";
import { connectBare } from "./server.ts";

/** What nights and imports write rows of. */
const grown = ["usage", "transfer", "bill_line", "balance"] as const;

export interface Engine {
  readonly name: "sqlite" | "postgres";
  readonly books: (name: string) => BooksOptions;
  /** Books of so many accounts with a day to bill. */
  readonly make: (name: string, accounts: number) => Promise<void>;
  /** What a server does by itself within a minute of many new rows: it looks at how many there are. */
  readonly settle: (name: string) => Promise<void>;
  readonly copy: (from: string, to: string) => Promise<void>;
  readonly bare: (name: string) => Promise<Bare>;
  /** Bytes of each row of some tables, with what their indexes take for it. */
  readonly measureRows: (name: string) => Promise<Readonly<Record<string, number>>>;
  /** How many transactions of these books were undone so far. */
  readonly countUndone: (name: string) => Promise<number>;
}

export function fileEngine(home: string): Engine {
  const fileOf = (name: string): string => join(home, `${name}.sqlite`);
  return {
    name: "sqlite",
    books: (name) => ({ file: fileOf(name), clock: systemClock }),
    make: async (name, accounts) => makeAccounts(fileOf(name), accounts),
    settle: async () => undefined,
    copy: async (from, to) => copyFileSync(fileOf(from), fileOf(to)),
    bare: async (name) => bareFile(fileOf(name)),
    measureRows: async (name) => {
      const db = connectFile({ file: fileOf(name) }, true);
      const one = (sql: string, value: string): number => Number(prepare(db, sql).pluck().get(value));
      const parts =
        "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?)";
      const sizes = grown.map((table) => [
        table,
        one(parts, table) / one(`SELECT count(*) FROM ${table} WHERE ? <> ''`, table),
      ]);
      db.close();
      return Object.fromEntries(sizes);
    },
    countUndone: async () => 0,
  };
}

export function serverEngine(cluster: Cluster): Engine {
  const addressFor = (name: string): string => addressOf(cluster, name);
  const admin = async (sql: string): Promise<Record<string, string>[]> => {
    const client = await connectBare(addressFor("postgres"));
    try {
      return await client.say(sql);
    } finally {
      await client.end();
    }
  };
  const look = async (name: string, sql: string): Promise<void> => {
    const client = await connectBare(addressFor(name));
    await client.say(sql);
    await client.end();
  };
  const books = (name: string): BooksOptions => {
    const postgres = { address: addressFor(name), password: clusterPassword, busyMs: 60_000 };
    return { file: "", clock: systemClock, postgres };
  };
  return {
    name: "postgres",
    books,
    make: async (name, accounts) => {
      await admin(`CREATE DATABASE ${name}`);
      await migrateBooks(books(name));
      const store = openBooks(books(name));
      await fillStore(store, accounts);
      store.close();
      await look(name, "VACUUM ANALYZE");
    },
    settle: (name) => look(name, "ANALYZE"),
    copy: async (from, to) => {
      await endSessions(admin, from);
      await admin(`CREATE DATABASE ${to} TEMPLATE ${from}`);
    },
    bare: (name) => bareServer(addressFor(name)),
    measureRows: async (name) => {
      const client = await connectBare(addressFor(name));
      const sizes: [string, number][] = [];
      for (const table of grown) {
        const sql = `SELECT pg_total_relation_size('${table}')::float / count(*) AS bytes FROM ${table}`;
        sizes.push([table, Number((await client.say(sql))[0]?.bytes)]);
      }
      await client.end();
      return Object.fromEntries(sizes);
    },
    countUndone: async (name) => {
      await endSessions(admin, name);
      const rows = await admin(
        `SELECT xact_rollback AS undone FROM pg_stat_database WHERE datname = '${name}'`,
      );
      return Number(rows[0]?.undone);
    },
  };
}

/** A database that somebody looks at cannot be copied, and whoever has gone may not be quite gone. */
async function endSessions(
  admin: (sql: string) => Promise<Record<string, string>[]>,
  database: string,
): Promise<void> {
  const others = `FROM pg_stat_activity WHERE datname = '${database}'`;
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await admin(`SELECT pid ${others}`)).length === 0) return;
    await wait(50);
  }
  throw new Error(`somebody is still connected to ${database}`);
}
