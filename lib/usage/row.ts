/** A row of usage, as it stands in a file and as it is read. Shared by the readers of both forms, and by import.ts. */
import type { DayUtc } from "../util/clock.ts";

export interface UsageLine {
  /** Line in the file, from 1, for messages. */
  readonly line: number;
  readonly day: DayUtc;
  /** Account id or confirmed address, as written. */
  readonly account: string;
  readonly machine: string;
  readonly meter: string;
  readonly quantity: bigint;
  /** 1, or one more than the row that it takes the place of. */
  readonly revision: bigint;
  /** Where each field begins, for messages. */
  readonly columns?: Readonly<Record<FieldName, number>>;
}

/** A line that says that a day is all there. */
export interface Declared {
  readonly line: number;
  readonly day: DayUtc;
}

export interface LineFault {
  readonly line: number;
  /** From 1, in characters; left out where it is the whole line. */
  readonly column?: number;
  readonly message: string;
}

/** One row as it stands in the file: each field's text, and the column where it begins. */
export interface RawRow {
  readonly line: number;
  readonly fields: Readonly<Record<FieldName, { readonly text: string; readonly column: number }>>;
}

export const fieldNames = ["day", "account", "machine", "meter", "quantity", "revision"] as const;
export type FieldName = (typeof fieldNames)[number];
