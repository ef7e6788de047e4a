/**
 * A connection to a PostgreSQL server; the only file that imports the driver, and loads it when the first connection is made. What is
 * guarded here: every integer comes as a bigint, no statement is prepared and no state is left in the session (each transaction says
 * what it needs by SET LOCAL, so that PgBouncer may hand it any connection), and what goes wrong is told as one of our two
 * kinds of failure. Called by the other files of this folder.
 */
import type { Client } from "pg";
import { assert, NeedsHuman } from "../../util/failure.ts";
import type { SqlCell, SqlValue } from "../store.ts";
import { parseAddress } from "./address.ts";
import { judgeConnect } from "./error.ts";
import { schemaName } from "./schema.ts";
import { translateStatement } from "./text.ts";

export interface PostgresOptions {
  /** As the setting says it (address.ts). */
  readonly address: string;
  /** Where it is undefined, the driver looks for PGPASSWORD and a password file. */
  readonly password: string | undefined;
  /** How long a transaction waits for others; 5 seconds unless told. */
  readonly busyMs?: number;
}

export interface Rows {
  readonly rows: readonly Record<string, SqlCell>[];
  /** How many rows were changed. */
  readonly count: number;
  /** What was done, "COMMIT". */
  readonly command: string;
}

export interface Connection {
  /** One statement of ours, with `?` for each value. */
  readonly query: (sql: string, values?: readonly SqlValue[]) => Promise<Rows>;
  /** Statements in PostgreSQL's own words, without values, in one message; what the last of them gave. Unanswered after `limitMs`, the connection is lost. */
  readonly send: (sql: string, limitMs?: number) => Promise<Rows>;
  readonly isOpen: () => boolean;
  /** Ends it without waiting. */
  readonly close: () => void;
}

const connectMs = 10_000;

/** @throws TryLater where the server cannot be reached, NeedsHuman where it does not let us in */
export async function connect(options: PostgresOptions): Promise<Connection> {
  const address = parseAddress(options.address);
  if (typeof address === "string") throw new NeedsHuman(`store: ${options.address}: ${address}`);
  const { Client } = await loadDriver();
  const { host, port, user, database, isVerified } = address;
  const client = new Client({
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(database === undefined ? {} : { database }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ssl: isVerified ? { rejectUnauthorized: true } : false,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    types: { getTypeParser: () => (text: string) => text },
  });
  let isOpen = true;
  const lose = (): void => {
    isOpen = false;
  };
  client.on("error", lose);
  client.on("end", lose);
  try {
    await client.connect();
  } catch (cause) {
    client.end().catch(() => undefined);
    throw judgeConnect(cause, options.address);
  }
  const close = (): void => {
    isOpen = false;
    // Whatever is asked fails at once.
    client.end().catch(() => undefined);
  };
  return {
    query: (sql, values = []) =>
      run(client, { text: translateStatement(sql, values), values: values.map(bindable) }),
    send: async (sql, limitMs) => {
      const limit = limitMs === undefined ? undefined : setTimeout(close, limitMs);
      try {
        return await run(client, { text: sql });
      } finally {
        clearTimeout(limit);
      }
    },
    isOpen: () => isOpen,
    close,
  };
}

async function loadDriver(): Promise<{ readonly Client: typeof Client }> {
  const { default: driver } = await import("pg");
  return driver;
}

/** A row as the driver hands it over here: every cell as the server's text. */
type Plain = readonly (string | null)[];

interface Answer {
  readonly rows: readonly Plain[];
  readonly rowCount: number | null;
  readonly command: string;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

async function run(client: Client, query: { text: string; values?: unknown[] }): Promise<Rows> {
  const answer = (await client.query({ ...query, rowMode: "array" })) as unknown as Answer | Answer[];
  const last = Array.isArray(answer) ? answer.at(-1) : answer;
  assert(last !== undefined, "a statement has an answer");
  const { fields, command, rowCount } = last;
  const rows = last.rows.map((row) =>
    Object.fromEntries(
      row.map((cell, at) => [fields[at]?.name, readCell(fields[at]?.dataTypeID ?? 0, cell)]),
    ),
  );
  return { rows, count: rowCount ?? 0, command };
}

const typeIds = { bool: 16, bytes: 17, int8: 20, int2: 21, int4: 23, text: 25, unknown: 705, numeric: 1700 };

/** A cell by its type's number in pg_type; no amount ever passes through a number, and a sum (numeric) is whole as what it adds up. */
function readCell(type: number, cell: string | null): SqlCell {
  if (cell === null) return null;
  if (type === typeIds.bool) return cell === "t" ? 1n : 0n;
  if (type === typeIds.bytes) return Buffer.from(cell.slice(2), "hex");
  if ([typeIds.int2, typeIds.int4, typeIds.int8].includes(type)) return BigInt(cell);
  if (type !== typeIds.numeric) return cell;
  assert(/^-?\d+$/.test(cell), `${cell} is a whole number`);
  return BigInt(cell);
}

/** As the driver takes a value: it writes what is no text by itself. */
function bindable(value: SqlValue): string | Uint8Array | null {
  if (typeof value === "number") assert(Number.isSafeInteger(value), `${value} is bound as a whole number`);
  return typeof value === "number" || typeof value === "bigint" ? String(value) : value;
}

const usualBusyMs = 5000;

/** A server that is gone without a word is noticed by the message that begins the next transaction: it waits for a lock, and no longer. */
export const beginMs = (busyMs = usualBusyMs): number => busyMs + 5000;

/** What must not depend on how server, database, or role were set up. */
export function sessionWords(busyMs = usualBusyMs): readonly string[] {
  return [
    `search_path = ${schemaName}, pg_temp`,
    "standard_conforming_strings = on",
    "client_encoding = 'UTF8'",
    "bytea_output = hex",
    "timezone = 'UTC'",
    `lock_timeout = ${busyMs}`,
    "idle_in_transaction_session_timeout = 60000",
    // A session keeps the plans of its triggers. One that was made while a table was empty reads all of it for each row, also when a night has
    // made it large: seven times as long for 2,000 accounts, and worse with each more. Every statement here has its index.
    "enable_seqscan = off",
    // It would take what has no index, and is small, for so dear that it pays to compile it.
    "jit = off",
  ].map((words) => `SET LOCAL ${words}`);
}
