/**
 * The books copied from one engine to the other, row by row, through the same guards as everything else. What is guarded: a row that is
 * there is compared and never written over, so that a copy which was interrupted goes on where it was; nothing counts as
 * copied until every row of both was read again and compared. Nobody may write meanwhile. Called by jobs/store.
 */
import { NeedsHuman, TryLater } from "../util/failure.ts";
import { insertRows } from "./rows.ts";
import type { TableShape } from "./shape.ts";
import type { ReadTx, SqlCell, SqlValue, Store } from "./store.ts";

const rowsAtOnce = 500;

/** The versions are each engine's own; openBooks has compared them. */
const ownTables = ["migration"];
/** A sealed day takes no transfer, so that seals come when all of them are there. */
const lastTables = ["seal"];

type Row = Record<string, SqlCell>;

export interface Moved {
  readonly rows: number;
  /** How many of them were not there before. */
  readonly written: number;
}

/** May be repeated and interrupted. @throws NeedsHuman naming table and key of a row that differs, or is refused */
export async function moveBooks(
  from: Store,
  to: Store,
  shapes: readonly TableShape[],
  onTable: (table: string, moved: Moved) => void,
): Promise<Moved> {
  const total = { rows: 0, written: 0 };
  for (const shape of orderShapes(shapes)) {
    const moved = await moveTable(from, to, shape);
    onTable(shape.table, moved);
    total.rows += moved.rows;
    total.written += moved.written;
  }
  return total;
}

/**
 * One moment of books on a server, into a new file: customers may write meanwhile. A file's transaction ends before the next turn of the
 * event loop, so that the server's is not kept waiting for anything else.
 */
export function snapshotBooks(server: Store, file: Store, shapes: readonly TableShape[]): Promise<void> {
  return server.read(async (tx) => {
    for (const shape of orderShapes(shapes))
      for (let after: Row | undefined; ; ) {
        const page = await readRange(tx, shape, after, undefined);
        await writePage(file, shape, page, after);
        after = page.at(-1);
        if (page.length < rowsAtOnce) break;
      }
  });
}

/** Every row of both, read again. @throws NeedsHuman for the first that is not the same in both */
export async function compareBooks(from: Store, to: Store, shapes: readonly TableShape[]): Promise<number> {
  let count = 0;
  for (const shape of orderShapes(shapes))
    for (let after: Row | undefined; ; ) {
      const [own, other] = [await readPage(from, shape, after), await readPage(to, shape, after)];
      for (const [at, row] of own.entries()) checkSame(shape, row, other[at]);
      const [extra] = other.slice(own.length);
      if (extra !== undefined)
        throw new NeedsHuman(
          `${nameRow(shape, extra)}: is in the copy alone; the books changed while they were copied, or it was not empty`,
        );
      count += own.length;
      after = own.at(-1);
      if (own.length < rowsAtOnce) break;
    }
  return count;
}

function orderShapes(shapes: readonly TableShape[]): readonly TableShape[] {
  const moved = shapes.filter(({ table }) => !ownTables.includes(table));
  const isLast = ({ table }: TableShape): boolean => lastTables.includes(table);
  return [...moved.filter((shape) => !isLast(shape)), ...moved.filter(isLast)];
}

async function moveTable(from: Store, to: Store, shape: TableShape): Promise<Moved> {
  const total = { rows: 0, written: 0 };
  for (let after: Row | undefined; ; ) {
    const page = await readPage(from, shape, after);
    total.written += await writePage(to, shape, page, after);
    total.rows += page.length;
    after = page.at(-1);
    if (page.length < rowsAtOnce) return total;
  }
}

function readPage(store: Store, shape: TableShape, after: Row | undefined): Promise<Row[]> {
  return store.read((tx) => readRange(tx, shape, after, undefined));
}

/** The rows after one, in the order of their key, up to another one or as many as a page has. */
async function readRange(
  tx: ReadTx,
  { table, columns, key }: TableShape,
  after: Row | undefined,
  last: Row | undefined,
): Promise<Row[]> {
  const order = key.join(", ");
  const marks = `(${key.map(() => "?").join(", ")})`;
  const bounds = [
    ...(after === undefined ? [] : [`(${order}) > ${marks}`]),
    ...(last === undefined ? [] : [`(${order}) <= ${marks}`]),
  ];
  const where = bounds.length === 0 ? "" : `WHERE ${bounds.join(" AND ")}`;
  const values = [after, last].flatMap((row) =>
    row === undefined ? [] : key.map((name) => row[name] ?? null),
  );
  return tx.all<Row>(
    `SELECT ${columns.join(", ")} FROM ${table} ${where} ORDER BY ${order} LIMIT ${last === undefined ? rowsAtOnce : "?"}`,
    // Whatever is there in this range is seen, also more than there should be.
    last === undefined ? values : [...values, Number.MAX_SAFE_INTEGER],
  );
}

async function writePage(
  to: Store,
  shape: TableShape,
  page: readonly Row[],
  after: Row | undefined,
): Promise<number> {
  const { table, columns, key } = shape;
  const last = page.at(-1);
  if (last === undefined) return 0;
  const keyOf = (row: Row): string => JSON.stringify(key.map((name) => String(row[name])));
  try {
    return await to.write(async (tx) => {
      const there = new Map((await readRange(tx, shape, after, last)).map((row) => [keyOf(row), row]));
      const missing = page.filter((row) => {
        const own = there.get(keyOf(row));
        if (own !== undefined) checkSame(shape, row, own);
        return own === undefined;
      });
      const rows = missing.map((row) => columns.map((name): SqlValue => row[name] ?? null));
      await insertRows(tx, `INSERT INTO ${table} (${columns.join(", ")})`, rows);
      return rows.length;
    });
  } catch (cause) {
    if (cause instanceof NeedsHuman || cause instanceof TryLater) throw cause;
    if (page.length === 1)
      throw new NeedsHuman(`${nameRow(shape, last)}: the copy refuses this row`, { cause });
    // The one row is looked for.
    const half = page.slice(0, Math.ceil(page.length / 2));
    const written = await writePage(to, shape, half, after);
    return written + (await writePage(to, shape, page.slice(half.length), half.at(-1)));
  }
}

function checkSame(shape: TableShape, row: Row, other: Row | undefined): void {
  if (other === undefined)
    throw new NeedsHuman(
      `${nameRow(shape, row)}: is not in the copy; the books changed while they were copied`,
    );
  const name = shape.columns.find((column) => !isSame(row[column], other[column]));
  if (name === undefined) return;
  throw new NeedsHuman(
    `${nameRow(shape, row)}: ${name} is another in the copy; begin with an empty one, while nobody writes`,
  );
}

function isSame(one: SqlCell | undefined, other: SqlCell | undefined): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.from(one).equals(other);
  return one === other;
}

function nameRow({ table, key }: TableShape, row: Row): string {
  return `${table} ${key.map((name) => String(row[name])).join(" ")}`;
}
