/**
 * A lock that holds on all machines which have the same books: one connection with one open transaction, so that the server frees it when its
 * holder dies, however it dies, and PgBouncer keeps the connection for it. A machine that loses its power or its network ends no connection;
 * so the holder says now and then that it lives, and the server ends a transaction in which it did not. Whoever holds it must do no harm
 * where another one has it too: a process that was stopped for so long goes on without it. Called by lib/store/alone.ts, by way of door.ts.
 */
import { TryLater } from "../../util/failure.ts";
import { connect, type PostgresOptions, sessionWords } from "./connection.ts";
import { translateError } from "./error.ts";

const usualSilentMs = 120_000;

/**
 * @param silentMs a holder that says nothing for so long is taken for dead
 * @throws TryLater where somebody else holds it
 */
export async function withServerLock<Result>(
  options: PostgresOptions,
  name: string,
  work: () => Promise<Result>,
  silentMs = usualSilentMs,
): Promise<Result> {
  const db = await connect(options);
  let pulse: NodeJS.Timeout | undefined;
  try {
    const patience = `SET LOCAL idle_in_transaction_session_timeout = ${silentMs}`;
    const words = [...sessionWords(), patience].join("; ");
    const { rows } = await db
      .send(`BEGIN; ${words}; SELECT pg_try_advisory_xact_lock(hashtext('picodollar ${name}')) AS had`)
      .catch((cause: unknown) => {
        throw translateError(cause, options.address);
      });
    if (rows[0]?.had !== 1n)
      throw new TryLater(
        `${options.address}: the lock for ${name} is held by a run on this or another machine`,
      );
    pulse = setInterval(() => void db.send("SELECT 1").catch(() => undefined), silentMs / 8);
    return await work();
  } finally {
    clearInterval(pulse);
    db.close();
  }
}
