/**
 * The life of a usage day: open (rows come in) -> complete (somebody said that all are there) -> billed. Only
 * complete days are billed; a day that nobody declared is reported, not guessed.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { type Refusal, refuse } from "../util/failure.ts";

/** Older days are refused: a mistyped year in a billing run has cost others millions. */
export const oldestDays = 400;

export type DayState = "open" | "complete" | "billed";

export async function readDayState(tx: ReadTx, day: DayUtc): Promise<DayState> {
  const row = await tx.get<{ billed: bigint }>(
    `SELECT (SELECT count(*) FROM billed_day b WHERE b.day = c.day) AS billed FROM complete_day c WHERE c.day = ?`,
    [day],
  );
  if (row === undefined) return "open";
  return row.billed > 0n ? "billed" : "complete";
}

/**
 * Declares that all usage of a day is in. May be repeated.
 * @returns a refusal for a day that is not over yet (UTC), or lies further back than anybody may mean
 */
export async function completeDay(
  tx: WriteTx,
  day: DayUtc,
  declaredBy: "import" | "person",
): Promise<{ readonly ok: true; readonly outcome: "created" | "exists" } | Refusal<"not-over" | "too-old">> {
  const today = dayOf(tx.now);
  if (day < addDays(today, -oldestDays))
    return refuse("too-old", `${day} lies more than ${oldestDays} days back; look at the year`);
  if (day >= today) return refuse("not-over", `${day} is not over yet (today is ${today} UTC)`);
  if ((await readDayState(tx, day)) !== "open") return { ok: true, outcome: "exists" };
  await tx.run("INSERT INTO complete_day (day, declared_by, declared_at) VALUES (?, ?, ?)", [
    day,
    declaredBy,
    tx.now,
  ]);
  return { ok: true, outcome: "created" };
}

/** Complete days that are not billed yet, oldest first. */
export async function readDaysToBill(tx: ReadTx): Promise<readonly DayUtc[]> {
  const rows = await tx.all<{ day: DayUtc }>(
    "SELECT day FROM complete_day WHERE day NOT IN (SELECT day FROM billed_day) ORDER BY day",
  );
  return rows.map((row) => row.day);
}

/**
 * Days up to yesterday that nobody declared complete: from the first day with usage, so that neither a day
 * with rows nor one whose file never came is passed over in silence.
 */
export async function readUndeclaredDays(tx: ReadTx): Promise<readonly DayUtc[]> {
  const first = await tx.get<{ day: DayUtc | null }>(
    "SELECT min(day) AS day FROM (SELECT min(day) AS day FROM usage UNION ALL SELECT min(day) FROM complete_day)",
  );
  if (first?.day == null) return [];
  const rows = await tx.all<{ day: DayUtc }>("SELECT day FROM complete_day");
  const declared = new Set(rows.map((row) => row.day));
  const days: DayUtc[] = [];
  for (let day = first.day; day < dayOf(tx.now); day = addDays(day, 1))
    if (!declared.has(day)) days.push(day);
  return days;
}
