/**
 * The version of the schema that a file has, apart from the migrations, whose texts are of no use to a program that only opens the store.
 */
import type Database from "better-sqlite3";
import { NeedsHuman } from "../util/failure.ts";
import { prepare, readPragma } from "./database.ts";
import { programVersion } from "./known.ts";

/** @throws NeedsHuman if the file's schema is older than the programs, or too new for them */
export function checkSchema(db: Database.Database, file: string): void {
  const version = readVersion(db);
  if (version < programVersion)
    throw new NeedsHuman(
      `${file}: the database has schema ${version}, these programs need ${programVersion}; run: site migrate`,
    );
  const oldest = prepare(db, "SELECT max(oldest_reader) FROM migration").pluck().get();
  if (typeof oldest !== "bigint" || oldest > BigInt(programVersion))
    throw new NeedsHuman(
      `${file}: the database was made by a newer release (schema ${version}); these programs know ${programVersion}; publish the newer release`,
    );
}

export function readVersion(db: Database.Database): number {
  return Number(readPragma(db, "user_version"));
}
