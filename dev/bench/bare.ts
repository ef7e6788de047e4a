/**
 * The floor of `bench -- store`: statements that the product ran, by the driver alone, each prepared once, in transactions of the same
 * size and with the same durability. Called by store.ts.
 */
import { connectFile, prepare } from "../../lib/store/database.ts";
import { translateStatement } from "../../lib/store/postgres/text.ts";
import type { SqlValue, Store, WriteTx } from "../../lib/store/store.ts";
import { connectBare } from "./server.ts";

export interface Step {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly isWrite: boolean;
}

/** A store that notes what each transaction of it ran. A transaction that was begun again is noted once. */
export function noteSteps(store: Store): {
  readonly store: Store;
  /** What was noted since it was last taken. */
  readonly takeNotes: () => readonly (readonly Step[])[];
} {
  const notes: Step[][] = [];
  const noting =
    <Result>(work: (tx: WriteTx) => Promise<Result>) =>
    async (tx: WriteTx): Promise<[Result, Step[]]> => {
      const steps: Step[] = [];
      const note =
        <Answer>(isWrite: boolean, ask: (sql: string, values?: readonly SqlValue[]) => Answer) =>
        (sql: string, values: readonly SqlValue[] = []): Answer => {
          steps.push({ sql, values, isWrite });
          return ask(sql, values);
        };
      const noted = {
        ...tx,
        all: note(false, tx.all),
        get: note(false, tx.get),
        run: note(true, tx.run),
      } as WriteTx;
      return [await work(noted), steps];
    };
  const keep = <Result>([result, steps]: [Result, Step[]]): Result => {
    notes.push(steps);
    return result;
  };
  return {
    takeNotes: () => notes.splice(0),
    store: {
      read: async (work) =>
        keep(
          await store.read((tx) => noting(work as (tx: WriteTx) => ReturnType<typeof work>)(tx as WriteTx)),
        ),
      write: async (work) => keep(await store.write(noting(work))),
      close: () => store.close(),
    },
  };
}

export interface Bare {
  /** Runs statements in one transaction. */
  readonly transact: (steps: readonly Step[]) => Promise<void>;
  readonly end: () => Promise<void>;
}

export function bareFile(file: string): Bare {
  const db = connectFile({ file }, true);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  db.defaultSafeIntegers(true);
  const statements = new Map<string, ReturnType<typeof prepare>>();
  const find = (sql: string): ReturnType<typeof prepare> => {
    const known = statements.get(sql) ?? prepare(db, sql);
    statements.set(sql, known);
    return known;
  };
  return {
    transact: async (steps) => {
      db.exec(steps.some(({ isWrite }) => isWrite) ? "BEGIN IMMEDIATE" : "BEGIN");
      for (const { sql, values, isWrite } of steps) {
        const bound = values.map((value) => (typeof value === "number" ? BigInt(value) : value));
        if (isWrite) find(sql).run(bound);
        else find(sql).all(bound);
      }
      db.exec("COMMIT");
    },
    end: async () => void db.close(),
  };
}

export async function bareServer(address: string): Promise<Bare> {
  const client = await connectBare(address);
  const names = new Map<string, string>();
  return {
    transact: async (steps) => {
      await client.say("BEGIN");
      for (const { sql, values } of steps) {
        const text = translateStatement(sql, values);
        const name = names.get(text) ?? `s${names.size}`;
        names.set(text, name);
        await client.ask(name, text, values);
      }
      await client.say("COMMIT");
    },
    end: client.end,
  };
}
