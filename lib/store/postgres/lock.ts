/**
 * A lock that holds on all machines which have the same books: one connection with one open transaction, so that the server frees it when its
 * holder dies, however it dies, and PgBouncer keeps the connection for it. Called by lib/store/alone.ts, by way of door.ts.
 */
import { TryLater } from "../../util/failure.ts";
import { connect, type PostgresOptions, sessionWords } from "./connection.ts";
import { translateError } from "./error.ts";

/** @throws TryLater where somebody else holds it */
export async function withServerLock<Result>(
  options: PostgresOptions,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const db = await connect(options);
  try {
    // Held for as long as the work takes, in which nothing is said on this connection.
    const words = [...sessionWords(), "SET LOCAL idle_in_transaction_session_timeout = 0"].join("; ");
    const { rows } = await db
      .send(`BEGIN; ${words}; SELECT pg_try_advisory_xact_lock(hashtext('picodollar ${name}')) AS had`)
      .catch((cause: unknown) => {
        throw translateError(cause, options.address);
      });
    if (rows[0]?.had !== 1n)
      throw new TryLater(
        `${options.address}: the lock for ${name} is held by a run on this or another machine`,
      );
    return await work();
  } finally {
    db.close();
  }
}
