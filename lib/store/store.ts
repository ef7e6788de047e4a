/**
 * The store as everything above it sees it: awaited calls, so that another engine can stand behind them.
 * One `write` is one transaction; inside it nothing but its own SQL is awaited, because other requests wait
 * for it meanwhile. Rendering, hashing, and the network come before or after.
 */

/** What a statement takes. Numbers must be whole; they are bound as integers. */
export type SqlValue = string | bigint | number | Uint8Array | null;

/** What a row holds: every INTEGER is a bigint, so that no amount ever passes through a JavaScript number. */
export type SqlCell = string | bigint | Uint8Array | null;

/** Something that is wrong with the books. */
export interface Finding {
  readonly table: string;
  /** What tells the row: its number, its id, its day. */
  readonly row: string;
  readonly message: string;
}

export interface ReadTx {
  /** Milliseconds since 1970, read once the transaction holds its lock: a booking day is derived from it. */
  readonly now: number;
  readonly all: <Row extends object>(sql: string, values?: readonly SqlValue[]) => Promise<Row[]>;
  /** The first row, or undefined. */
  readonly get: <Row extends object>(sql: string, values?: readonly SqlValue[]) => Promise<Row | undefined>;
  /**
   * What the engine itself finds wrong: damage, rows that lead nowhere, a guard that was taken away. `expected` is the schema as the
   * programs make it (migrate.ts), by name.
   */
  readonly inspect: (expected: ReadonlyMap<string, string>) => Promise<readonly Finding[]>;
}

export interface WriteTx extends ReadTx {
  /** Runs one statement that writes; returns how many rows it changed. */
  readonly run: (sql: string, values?: readonly SqlValue[]) => Promise<number>;
}

/** A commit or two of others. */
export const hastyMs = 50;

export interface Store {
  /** Runs `work` on one consistent view. */
  readonly read: <Result>(work: (tx: ReadTx) => Promise<Result>) => Promise<Result>;
  /**
   * Runs `work` in one transaction, alone; commits durably when it returns, undoes all of it when it throws.
   * "hasty" is for what may be left out: it waits `hastyMs` for other writers, and no longer.
   * @throws TryLater if other writers held the lock too long or the disk is full
   */
  readonly write: <Result>(
    work: (tx: WriteTx) => Promise<Result>,
    pace?: "usual" | "hasty",
  ) => Promise<Result>;
  readonly close: () => void;
}
