/**
 * A customer's machines. The service registers one by a token that its customer made for it, once, so that no machine ever needs
 * the password. A retired machine costs nothing from the next UTC day on, whatever the service still sends for it.
 */
import type { AccountId } from "../accounts/account.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { randomId } from "../util/random.ts";

export interface Machine {
  /** As it stands in usage. */
  readonly machine: string;
  readonly name: string;
  /** Milliseconds since 1970; undefined for one that was only seen in usage. */
  readonly registeredAt: number | undefined;
  readonly retiredOn: DayUtc | undefined;
}

export const machineTokenLifeMs = 3_600_000;
/** Machines that cost something on one of so many last days are shown, registered or not. */
const seenDays = 31;

/** Keeps the hash of a token for one machine to be. */
export async function addMachineToken(
  tx: WriteTx,
  account: AccountId,
  { name, token }: { readonly name: string; readonly token: string },
): Promise<void> {
  await tx.run("DELETE FROM machine_token WHERE expires_at <= ?", [tx.now]);
  await tx.run("INSERT INTO machine_token (token_hash, account, name, expires_at) VALUES (?, ?, ?, ?)", [
    sha256Hex(token),
    account,
    name,
    tx.now + machineTokenLifeMs,
  ]);
}

/** Makes the machine that a token was made for; a token works once. */
export async function registerMachine(
  tx: WriteTx,
  token: string,
): Promise<
  | { readonly ok: true; readonly account: AccountId; readonly machine: string; readonly name: string }
  | Refusal<"token-unknown">
> {
  const row = await tx.get<{ account: AccountId; name: string }>(
    `SELECT account, name FROM machine_token WHERE token_hash = ? AND expires_at > ?
     AND account NOT IN (SELECT account FROM closing)`,
    [sha256Hex(token), tx.now],
  );
  if (row === undefined) return refuse("token-unknown");
  await tx.run("DELETE FROM machine_token WHERE token_hash = ?", [sha256Hex(token)]);
  const machine = randomId("mach_");
  await tx.run("INSERT INTO machine (account, machine, name, registered_at) VALUES (?, ?, ?, ?)", [
    row.account,
    machine,
    row.name,
    tx.now,
  ]);
  return { ok: true, account: row.account, machine, name: row.name };
}

/** Registered machines, and those of the bills of the last month; those in use first. */
export async function listMachines(tx: ReadTx, account: AccountId): Promise<readonly Machine[]> {
  const known = await readKnown(tx, account);
  const since = addDays(dayOf(tx.now), -seenDays);
  const seen = await tx.all<{ machine: string }>(
    "SELECT DISTINCT machine FROM bill_line WHERE transfer BETWEEN ? AND ? ORDER BY machine",
    [`bill/${account}/${since}`, `bill/${account}/9999`],
  );
  const names = new Set(known.map(({ machine }) => machine));
  const others = seen
    .filter(({ machine }) => !names.has(machine))
    .map(({ machine }) => ({ machine, name: machine, registeredAt: undefined, retiredOn: undefined }));
  const all = [...known, ...others];
  return [
    ...all.filter(({ retiredOn }) => retiredOn === undefined),
    ...all.filter(({ retiredOn }) => retiredOn !== undefined),
  ];
}

/** What each machine is called, by what stands in usage. */
export async function readMachineNames(tx: ReadTx, account: AccountId): Promise<ReadonlyMap<string, string>> {
  return new Map((await readKnown(tx, account)).map(({ machine, name }) => [machine, name]));
}

/** False where the account has no such machine. */
export async function renameMachine(
  tx: WriteTx,
  account: AccountId,
  { machine, name }: { readonly machine: string; readonly name: string },
): Promise<boolean> {
  if (!(await adopt(tx, account, machine))) return false;
  await tx.run("UPDATE machine SET name = ? WHERE account = ? AND machine = ?", [name, account, machine]);
  return true;
}

/**
 * From tomorrow (UTC) on it costs nothing. It does not come back; one that was retired before stays so since then.
 * @returns whether it was retired by this
 */
export async function retireMachine(tx: WriteTx, account: AccountId, machine: string): Promise<boolean> {
  if (!(await adopt(tx, account, machine))) return false;
  const changed = await tx.run(
    "UPDATE machine SET retired_on = ? WHERE account = ? AND machine = ? AND retired_on IS NULL",
    [dayOf(tx.now), account, machine],
  );
  return changed === 1;
}

/** The last day that may cost something, of each retired machine of an account. */
export async function readRetired(tx: ReadTx, account: AccountId): Promise<ReadonlyMap<string, DayUtc>> {
  const rows = await tx.all<{ machine: string; day: DayUtc }>(
    "SELECT machine, retired_on AS day FROM machine WHERE account = ? AND retired_on IS NOT NULL",
    [account],
  );
  return new Map(rows.map(({ machine, day }) => [machine, day]));
}

/** One that was only seen in usage gets a row of its own. */
async function adopt(tx: WriteTx, account: AccountId, machine: string): Promise<boolean> {
  const found = (await listMachines(tx, account)).find((one) => one.machine === machine);
  if (found === undefined) return false;
  await tx.run(
    `INSERT INTO machine (account, machine, name, registered_at) VALUES (?, ?, ?, 0)
     ON CONFLICT (account, machine) DO NOTHING`,
    [account, machine, found.name],
  );
  return true;
}

async function readKnown(tx: ReadTx, account: AccountId): Promise<readonly Machine[]> {
  const rows = await tx.all<{ machine: string; name: string; registered: bigint; retired: DayUtc | null }>(
    `SELECT machine, name, registered_at AS registered, retired_on AS retired FROM machine
     WHERE account = ? ORDER BY name, machine`,
    [account],
  );
  return rows.map(({ machine, name, registered, retired }) => ({
    machine,
    name,
    registeredAt: registered === 0n ? undefined : Number(registered),
    retiredOn: retired ?? undefined,
  }));
}
