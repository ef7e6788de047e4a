/**
 * The store on PostgreSQL. What it guards: a write is serializable, as if it were alone, and is begun again where the server finds
 * that it was not; nothing but SQL is awaited inside it; a commit that the server did not confirm is never taken for one. So `work`
 * may run several times, and keeps what it finds in its result alone.
 *
 * Writers share a lock on the table of migrations. One that has to begin again takes it for itself, and has the books to itself then:
 * its second run cannot meet a third, however many others there are. Called by open.ts, by way of what the build puts into programs.
 */
import type { Clock } from "../../util/clock.ts";
import { assert, NeedsHuman, TryLater } from "../../util/failure.ts";
import { programVersion } from "../known.ts";
import { hastyMs, type SqlValue, type Store, type WriteTx } from "../store.ts";
import { beginMs, type Connection, connect, type PostgresOptions, sessionWords } from "./connection.ts";
import { codeOf, isLost, noWrites, translateError } from "./error.ts";
import { inspectSchema } from "./inspect.ts";
import { schemaName } from "./schema.ts";

/** The second already is alone; the rest is for a lock that was not had in time. */
const mostRuns = 6;

export function openPostgres(options: PostgresOptions & { readonly clock: Clock }): Store {
  let open: Connection | undefined;
  let isClosed = false;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const obtain = async (): Promise<Connection> => {
    assert(!isClosed, "a store was used after it was closed");
    if (open?.isOpen() !== true) open = await connect(options);
    return open;
  };
  const begin = async (how: string, patience: PostgresOptions = options): Promise<Connection> => {
    const wasOpen = open?.isOpen() === true;
    try {
      return await beginOn(await obtain(), how, patience);
    } catch (cause) {
      open?.close();
      // A connection that lay idle may have gone with its server; nothing was begun on it.
      if (!wasOpen || !isLost(cause)) throw judgeBegin(cause, options.address);
    }
    try {
      return await beginOn(await obtain(), how, patience);
    } catch (cause) {
      open?.close();
      throw judgeBegin(cause, options.address);
    }
  };
  const drop = (): void => open?.close();
  const { clock, address } = options;
  return {
    read: (work) =>
      inTurn(async () => {
        const db = await begin("ISOLATION LEVEL REPEATABLE READ READ ONLY");
        return transact({ db, clock, address, drop, options }, work);
      }),
    write: (work, pace = "usual") =>
      inTurn(async () => {
        const [runs, patience] =
          pace === "hasty" ? [1, { ...options, busyMs: hastyMs }] : [mostRuns, options];
        for (let run = 1; ; run += 1) {
          const lock = run === 1 ? "ROW SHARE" : "EXCLUSIVE";
          try {
            const db = await begin(
              `ISOLATION LEVEL SERIALIZABLE READ WRITE; LOCK TABLE ${schemaName}.migration IN ${lock} MODE`,
              patience,
            );
            return await transact({ db, clock, address, drop, options }, work);
          } catch (cause) {
            if (!(cause instanceof Conflict)) throw cause;
            if (run === runs)
              throw new TryLater(`${address}: the database is busy; try again`, { cause: cause.cause });
          }
        }
      }),
    close: () => {
      isClosed = true;
      open?.close();
    },
  };
}

/** The transaction was not alone, and may be begun again. */
class Conflict extends Error {}

/**
 * Begins a transaction, says all that the session might say otherwise, and looks at the schema's version, in one message. The lock
 * comes before the first thing that looks at the books, so that they are seen as they are when it is had.
 */
async function beginOn(db: Connection, how: string, options: PostgresOptions): Promise<Connection> {
  const words = `BEGIN ${beforeLock(how, options.busyMs)};
    SELECT max(version) AS version, max(oldest_reader) AS oldest, current_setting('server_encoding') AS encoding,
           current_setting('server_version_num')::int AS server,
           CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END AS kept
    FROM ${schemaName}.migration`;
  const { rows } = await db.send(words, beginMs(options.busyMs));
  checkVersion(rows[0] ?? {}, options.address);
  return db;
}

function beforeLock(how: string, busyMs: number | undefined): string {
  const [isolation, lock] = how.split("; ");
  return [isolation, ...sessionWords(busyMs), ...(lock === undefined ? [] : [lock])].join("; ");
}

export const oldestServer = 130_000;

function checkVersion(found: Record<string, unknown>, address: string): void {
  const { version, oldest, encoding, server } = found;
  if (typeof server !== "bigint" || server < BigInt(oldestServer))
    throw new NeedsHuman(`${address}: this PostgreSQL is too old; it must be version 13 or later`);
  if (encoding !== "UTF8")
    throw new NeedsHuman(`${address}: the database's encoding is ${encoding}; make one with UTF8`);
  if (typeof version !== "bigint" || typeof oldest !== "bigint" || version < BigInt(programVersion))
    throw new NeedsHuman(
      `${address}: the database has schema ${version ?? 0}, these programs need ${programVersion}; run: site migrate`,
    );
  if (oldest > BigInt(programVersion))
    throw new NeedsHuman(
      `${address}: the database was made by a newer release (schema ${version}); these programs know ${programVersion}; publish the newer release`,
    );
}

function judgeBegin(cause: unknown, address: string): unknown {
  const code = codeOf(cause);
  if (code === "3F000" || code === "42P01")
    return new NeedsHuman(`${address}: the database has no books of ours; run: site migrate`, { cause });
  // A standby knows neither serializable transactions nor such that write.
  if (code === "0A000") return new TryLater(`${address}: ${noWrites}`, { cause });
  return translateError(cause, address);
}

interface Ground {
  readonly db: Connection;
  readonly clock: Clock;
  readonly address: string;
  readonly options: PostgresOptions;
  /** Gives the connection up: nobody can say what state it is in. */
  readonly drop: () => void;
}

async function transact<Result>(ground: Ground, work: (tx: WriteTx) => Promise<Result>): Promise<Result> {
  const { db, address, drop } = ground;
  const handle = makeHandle(ground);
  try {
    const result = await work(handle.tx);
    handle.check();
    // A transaction that a statement failed in is undone by COMMIT, without a word.
    if (handle.failure() !== undefined) throw handle.failure();
    await commit(db, address);
    return result;
  } catch (cause) {
    if (cause instanceof CommitLost) throw cause.cause;
    const first = handle.failure() ?? cause;
    if (db.isOpen()) await db.send("ROLLBACK").catch(drop);
    else drop();
    if (["40001", "40P01"].includes(codeOf(first))) throw new Conflict("begin again", { cause: first });
    throw translateError(cause, address);
  } finally {
    handle.end();
  }
}

class CommitLost extends Error {}

async function commit(db: Connection, address: string): Promise<void> {
  try {
    const { command } = await db.send("COMMIT");
    assert(command === "COMMIT", `a transaction ends with COMMIT, and not ${command}`);
  } catch (cause) {
    if (!isLost(cause)) throw cause;
    db.close();
    throw new CommitLost("lost", {
      cause: new TryLater(
        `${address}: the connection was lost while the PostgreSQL server was keeping this step; it may have been kept: do it again, what is there is found`,
        { cause },
      ),
    });
  }
}

/** Statements one after another; between them a turn of the event loop must not pass. */
function makeHandle({ db, clock, address, options }: Ground) {
  let [alive, turned] = [true, false];
  let failure: unknown;
  let under = 0;
  let last: Promise<unknown> = Promise.resolve();
  let watch: NodeJS.Immediate | undefined;
  const arm = (): void => {
    watch = setImmediate(() => {
      turned = true;
    });
  };
  const rest = (): void => clearImmediate(watch);
  const check = (): void => {
    assert(alive, "a transaction's handle was used after its end");
    assert(!turned, "something other than SQL was awaited inside a transaction");
  };
  const inOrder = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    check();
    rest();
    under += 1;
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    try {
      return await mine;
    } catch (cause) {
      failure ??= cause;
      throw translateError(cause, address);
    } finally {
      under -= 1;
      if (under === 0 && alive) arm();
    }
  };
  arm();
  const tx: WriteTx = {
    now: clock.now(),
    all: <Row extends object>(sql: string, values: readonly SqlValue[] = []) =>
      inOrder(async () => (await db.query(sql, values)).rows as unknown as Row[]),
    get: <Row extends object>(sql: string, values: readonly SqlValue[] = []) =>
      inOrder(async () => (await db.query(sql, values)).rows[0] as unknown as Row | undefined),
    run: (sql, values = []) => inOrder(async () => (await db.query(sql, values)).count),
    inspect: (expected) => inOrder(() => inspectSchema(db, expected, options)),
  };
  return {
    tx,
    check,
    failure: () => failure,
    end: () => {
      alive = false;
      rest();
    },
  };
}
