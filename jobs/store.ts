/**
 * The books moved to the other engine: `store copy --from sqlite:FILE --to postgres://...`, and back. Resumable; it ends well only
 * when every row was compared, both verify, and both end in the same seal.
 */
import { existsSync } from "node:fs";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { compareBooks, moveBooks } from "../lib/store/move.ts";
import { type BooksOptions, openBooks } from "../lib/store/open.ts";
import { readShapes } from "../lib/store/shape.ts";
import type { Store } from "../lib/store/store.ts";
import { migrateBooks } from "../lib/store/upgrade.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import { readMaintenance } from "../lib/util/maintenance.ts";
import type { Job, JobContext } from "./run.ts";

export const job: Job = {
  usage: "copy --from sqlite:FILE|postgres://... --to sqlite:FILE|postgres://...",
  options: { from: { type: "string" }, to: { type: "string" } },
  run: async (context, { words, values }) => {
    const { from, to } = values;
    if (words.join(" ") !== "copy" || typeof from !== "string" || typeof to !== "string") return "misused";
    const [source, target] = [placeBooks(context, from), placeBooks(context, to)];
    for (const [text, place] of [
      [from, source],
      [to, target],
    ] as const)
      if (typeof place === "string") {
        context.complain(`store: ${text}: ${place}`);
        return "refused";
      }
    return copy(
      context,
      { name: from, books: source as BooksOptions },
      { name: to, books: target as BooksOptions },
    );
  },
};

interface End {
  readonly name: string;
  readonly books: BooksOptions;
}

/** The books that a word of the command means, or why it means none. */
function placeBooks({ database, secrets, settings }: JobContext, text: string): BooksOptions | string {
  const { clock, addonFile } = database;
  const file = /^sqlite:(\/.*)$/.exec(text)?.[1];
  if (file !== undefined) return { file, clock, addonFile };
  if (!/^postgres(?:ql)?:/.test(text))
    return "it must be sqlite:/PATH/OF/FILE or postgres://USER@HOST/DATABASE";
  if (settings.store === "sqlite")
    return "the programs of this site know no server; say store: in etc/site.yaml, and build the site";
  return { file: "", clock, addonFile, postgres: { address: text, password: secrets.store_password } };
}

async function copy(context: JobContext, from: End, to: End): Promise<"done" | "refused"> {
  const { complain, say, place } = context;
  if (from.name === to.name) {
    complain("store: both are the same; there is nothing to copy");
    return "refused";
  }
  if (from.books.postgres === undefined && !existsSync(from.books.file)) {
    complain(`store: ${from.books.file} is not there`);
    return "refused";
  }
  if (readMaintenance(place.dataFolder) === "off") {
    complain("store: customers may write meanwhile; run first: site maintenance on --read-only");
    return "refused";
  }
  // A file that is made here holds customers' data.
  process.umask(0o077);
  await migrateBooks(to.books);
  const [source, target] = [openBooks(from.books), openBooks(to.books)];
  try {
    const shapes = readShapes(context.database);
    // Books that are wrong are not carried on.
    const before = await verify(context, from.name, source);
    const { rows, written } = await moveBooks(source, target, shapes, (table, moved) => {
      if (moved.rows > 0) say(`store: ${table}: ${moved.rows} rows, ${moved.written} of them written now`);
    });
    const compared = await compareBooks(source, target, shapes);
    const after = await verify(context, to.name, target);
    if (after !== before)
      throw new NeedsHuman(
        `the books end in ${before}, and the copy in ${after}; copy them while nobody writes`,
      );
    say(`store: ${rows} rows, ${written} written, ${compared} compared; both are right and end in ${after}`);
    return "done";
  } finally {
    source.close();
    target.close();
  }
}

/** What the books end in; wrong ones are named. */
async function verify({ complain, database }: JobContext, name: string, store: Store): Promise<string> {
  let wrong = 0;
  const { transfers, lastSeal } = await store.read((tx) =>
    verifyBooks(tx, readExpectedSchema(database), ({ table, row, message }) => {
      wrong += 1;
      complain(`${table} ${row}: ${message}`);
    }),
  );
  if (wrong > 0) throw new NeedsHuman(`${name}: ${wrong} things are wrong with these books; see above`);
  const seal = lastSeal === undefined ? "no seal" : `seal ${lastSeal.day} ${lastSeal.hash}`;
  return `transfer ${transfers}, ${seal}`;
}
