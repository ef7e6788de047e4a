/** Work of which there is one at a time: on this machine, and, where the books are on a server, on all that have them. Called by jobs/bill. */
import type { BooksOptions } from "./open.ts";
import { withSlot } from "./slot.ts";

/** @throws TryLater where another process is at it */
export function withBooksAlone<Result>(
  books: BooksOptions,
  place: { readonly folder: string; readonly name: string },
  work: () => Promise<Result>,
): Promise<Result> {
  const { postgres, addonFile } = books;
  return withSlot({ ...place, count: 1, waitMs: 0, addonFile }, async () => {
    if (postgres === undefined) return work();
    const { withServerLock } = await import("./postgres/door.ts");
    return withServerLock(postgres, place.name, work);
  });
}
