/**
 * The key that seals second factors, changed: each secret is opened by whichever key does, and sealed by the new one. Called by
 * jobs/reseal.
 */
import type { Store } from "../store/store.ts";
import { NeedsHuman } from "../util/failure.ts";
import type { AccountId } from "./account.ts";
import { openSecret, sealAgain } from "./factor.ts";

const rowsAtOnce = 100;

interface Row {
  readonly account: AccountId;
  readonly sealedSecret: string;
}

/**
 * A hundred rows a transaction; a row that its owner changes meanwhile is left as it is, since it was sealed by the new key then.
 * @throws NeedsHuman naming the account whose secret no key opens; those before it are done
 */
export async function resealFactors(
  store: Store,
  key: string,
  old: string | undefined,
): Promise<{ readonly resealed: number; readonly kept: number }> {
  let [resealed, kept, after] = [0, 0, ""];
  for (;;) {
    const rows = await store.read((tx) =>
      tx.all<Row>(
        "SELECT account, sealed_secret AS sealedSecret FROM factor WHERE account > ? ORDER BY account LIMIT ?",
        [after, rowsAtOnce],
      ),
    );
    const last = rows.at(-1);
    if (last === undefined) return { resealed, kept };
    after = last.account;
    const changed = rows
      .filter((row) => !opens(row, key))
      .map((row) => ({ ...row, anew: reseal(row, key, old) }));
    const counts = await store.write(async (tx) => {
      let count = 0;
      for (const { account, sealedSecret, anew } of changed)
        count += await tx.run("UPDATE factor SET sealed_secret = ? WHERE account = ? AND sealed_secret = ?", [
          anew,
          account,
          sealedSecret,
        ]);
      return count;
    });
    resealed += counts;
    kept += rows.length - counts;
  }
}

function opens(row: Row, key: string): boolean {
  try {
    openSecret(row, [key]);
    return true;
  } catch (error) {
    // A key that is none is no matter of one row.
    if (error instanceof NeedsHuman && /does not open/.test(error.message)) return false;
    throw error;
  }
}

function reseal(row: Row, key: string, old: string | undefined): string {
  return sealAgain(row.account, openSecret(row, old === undefined ? [key] : [old]), [key]);
}
