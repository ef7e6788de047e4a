/** PostgreSQL's driver without anything of ours, for the floor of `bench -- store`; the one file here that imports it. */
import driver from "pg";
import { parseAddress } from "../../lib/store/postgres/address.ts";
import type { SqlValue } from "../../lib/store/store.ts";
import { assert } from "../../lib/util/failure.ts";
import { clusterPassword } from "./cluster.ts";

export async function connectBare(text: string) {
  const address = parseAddress(text);
  assert(typeof address !== "string", "the bench makes a right address");
  const { user, host, database } = address;
  assert(user !== undefined && host !== undefined && database !== undefined, "it says all");
  const client = new driver.Client({ user, host, database, password: clusterPassword });
  await client.connect();
  // What our own transactions say of plans (lib/store/postgres/connection.ts): without it this would be no floor.
  await client.query("SET search_path = picodollar, pg_temp; SET enable_seqscan = off; SET jit = off");
  return {
    say: async (sql: string) => (await client.query(sql)).rows as Record<string, string>[],
    ask: async (name: string, sql: string, values: readonly SqlValue[]) =>
      void (await client.query({ name, text: sql, values: values.map(bindable), rowMode: "array" })),
    end: () => client.end(),
  };
}

function bindable(value: SqlValue): string | Uint8Array | null {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : value;
}
