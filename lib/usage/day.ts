/**
 * The life of a usage day: open (rows come in) -> complete (somebody said that all are there) -> billed. Only
 * complete days are billed; a day that nobody declared is reported, not guessed. An open or complete day may be
 * skipped instead, by a person with a reason, as after an outage: then it is never billed.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { assert, type Refusal, refuse } from "../util/failure.ts";

/** Older days are refused: a mistyped year in a billing run has cost others millions. */
export const oldestDays = 400;

/** Whether somebody must say that a day is meant. */
export function isTooOld(day: DayUtc, nowMs: number): boolean {
  return day < addDays(dayOf(nowMs), -oldestDays);
}

interface Allowed {
  /** Days that are too old are meant. */
  readonly takesOld?: boolean;
}

export type DayState = "open" | "complete" | "billed" | "skipped";

export async function readDayState(tx: ReadTx, day: DayUtc): Promise<DayState> {
  const row = await tx.get<{ state: DayState }>(
    `SELECT CASE WHEN EXISTS (SELECT 1 FROM skipped_day WHERE day = ?) THEN 'skipped'
                 WHEN EXISTS (SELECT 1 FROM billed_day WHERE day = ?) THEN 'billed'
                 WHEN EXISTS (SELECT 1 FROM complete_day WHERE day = ?) THEN 'complete' ELSE 'open' END AS state`,
    [day, day, day],
  );
  assert(row !== undefined, "a CASE is one row");
  return row.state;
}

/**
 * Declares that all usage of a day is in. May be repeated.
 * @returns a refusal for a day that is not over yet (UTC), or lies further back than anybody may mean
 */
export async function completeDay(
  tx: WriteTx,
  day: DayUtc,
  declaredBy: "import" | "person",
  { takesOld = false }: Allowed = {},
): Promise<
  { readonly ok: true; readonly outcome: "created" | "exists" } | Refusal<"not-over" | "too-old" | "skipped">
> {
  const state = await readDayState(tx, day);
  if (state === "skipped") return refuse("skipped", `${day} is skipped, and never billed`);
  if (state !== "open") return { ok: true, outcome: "exists" };
  const wrong = judgeDay(tx, day, takesOld);
  if (wrong !== undefined) return wrong;
  await tx.run("INSERT INTO complete_day (day, declared_by, declared_at) VALUES (?, ?, ?)", [
    day,
    declaredBy,
    tx.now,
  ]);
  return { ok: true, outcome: "created" };
}

/**
 * Decides that a day is never billed. May be repeated with the same reason.
 * @returns a refusal for a day that is not over yet (UTC), lies too far back, is billed, or was skipped for another reason
 */
export async function skipDay(
  tx: WriteTx,
  day: DayUtc,
  reason: string,
  { takesOld = false }: Allowed = {},
): Promise<
  | { readonly ok: true; readonly outcome: "created" | "exists" }
  | Refusal<"not-over" | "too-old" | "billed" | "differs">
> {
  const wrong = judgeDay(tx, day, takesOld);
  if (wrong !== undefined) return wrong;
  const known = await tx.get<{ reason: string }>("SELECT reason FROM skipped_day WHERE day = ?", [day]);
  if (known !== undefined)
    return known.reason === reason
      ? { ok: true, outcome: "exists" }
      : refuse("differs", `${day} is skipped already, because: ${known.reason}`);
  // Also a night that died half-way has billed: its bills stay, so the others are due too.
  const bill = await tx.get<{ id: string }>(
    "SELECT id FROM transfer WHERE code = 'bill' AND reference = ? AND day >= ? LIMIT 1",
    [day, day],
  );
  if (bill !== undefined || (await readDayState(tx, day)) === "billed")
    return refuse("billed", `${day} is billed already${bill === undefined ? "" : `, for one by ${bill.id}`}`);
  await tx.run("INSERT INTO skipped_day (day, reason, skipped_at) VALUES (?, ?, ?)", [day, reason, tx.now]);
  return { ok: true, outcome: "created" };
}

function judgeDay(tx: ReadTx, day: DayUtc, takesOld: boolean): Refusal<"not-over" | "too-old"> | undefined {
  const today = dayOf(tx.now);
  if (isTooOld(day, tx.now) && !takesOld)
    return refuse(
      "too-old",
      `${day} lies more than ${oldestDays} days back; look at the year (with --old, site usage complete and site billing skip-day take it)`,
    );
  if (day >= today) return refuse("not-over", `${day} is not over yet (today is ${today} UTC)`);
  return undefined;
}

/** Complete days that are not billed yet, oldest first. */
export async function readDaysToBill(tx: ReadTx): Promise<readonly DayUtc[]> {
  const rows = await tx.all<{ day: DayUtc }>(
    `SELECT day FROM complete_day
     WHERE day NOT IN (SELECT day FROM billed_day UNION ALL SELECT day FROM skipped_day) ORDER BY day`,
  );
  return rows.map((row) => row.day);
}

/**
 * Days up to yesterday that nobody declared complete: from the first day with usage, so that neither a day
 * with rows nor one whose file never came is passed over in silence.
 */
export async function readUndeclaredDays(tx: ReadTx): Promise<readonly DayUtc[]> {
  const first = await tx.get<{ day: DayUtc | null }>(
    `SELECT min(day) AS day FROM (SELECT min(day) AS day FROM usage UNION ALL SELECT min(day) FROM usage_revision
       UNION ALL SELECT min(day) FROM complete_day) firsts`,
  );
  if (first?.day == null) return [];
  const rows = await tx.all<{ day: DayUtc }>(
    "SELECT day FROM complete_day UNION SELECT day FROM skipped_day",
  );
  const declared = new Set(rows.map((row) => row.day));
  const days: DayUtc[] = [];
  for (let day = first.day; day < dayOf(tx.now); day = addDays(day, 1))
    if (!declared.has(day)) days.push(day);
  return days;
}
