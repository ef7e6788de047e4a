/**
 * The facts that transfers stand for, looked at with plain SQL: usage behind bills, orders behind payments, payments behind
 * refunds and disputes. Called by verify.ts.
 */
import { fromColumns } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";

/** Tells one thing that is wrong. */
export type Report = (table: string, row: bigint | string, message: string) => void;

const batchSize = 2000;

interface LineRow {
  readonly transfer: string;
  readonly machine: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly priceAtto: bigint;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
  readonly code: string | null;
  readonly measured: bigint | null;
}

/** Each line is its quantity at its price, of usage that was measured; the lines of a bill make the bill. */
export async function checkBills(tx: ReadTx, tell: Report): Promise<void> {
  let last = { transfer: "", machine: "", meter: "" };
  for (;;) {
    const rows = await tx.all<LineRow>(
      `SELECT l.transfer, l.machine, l.meter, l.quantity, l.price_atto AS priceAtto, l.picodollars, l.attodollars, t.code,
              u.quantity AS measured
       FROM bill_line l LEFT JOIN transfer t ON t.id = l.transfer
       LEFT JOIN (SELECT day, account, machine, meter, quantity, 1 AS revision FROM usage
                  UNION ALL SELECT day, account, machine, meter, quantity, revision FROM usage_revision) u
         ON u.day = t.reference AND u.account = t.debit AND u.machine = l.machine AND u.meter = l.meter
           AND u.revision = l.revision
       WHERE (l.transfer, l.machine, l.meter) > (?, ?, ?) ORDER BY l.transfer, l.machine, l.meter LIMIT ?`,
      [last.transfer, last.machine, last.meter, batchSize],
    );
    for (const row of rows) {
      const what = `${row.transfer} ${row.machine} ${row.meter}`;
      if (row.quantity * row.priceAtto !== fromColumns(row))
        tell("bill_line", what, `${row.quantity} at ${row.priceAtto} is not ${fromColumns(row)}`);
      if (row.code !== "bill") tell("bill_line", what, "is a line of no bill");
      else if (row.measured !== row.quantity)
        tell("bill_line", what, `bills ${row.quantity}, and ${row.measured ?? "nothing"} was measured`);
      last = row;
    }
    if (rows.length < batchSize) break;
  }
  const sums = await tx.all<{ id: string }>(
    `SELECT t.id FROM transfer t WHERE t.code = 'bill' AND t.picodollars <> (
       SELECT coalesce(sum(l.picodollars) + sum(l.attodollars) / 1000000, 0) FROM bill_line l WHERE l.transfer = t.id)
     OR t.code = 'bill' AND t.attodollars <> (
       SELECT coalesce(sum(l.attodollars) % 1000000, 0) FROM bill_line l WHERE l.transfer = t.id)`,
  );
  for (const { id } of sums) tell("transfer", id, "is not what its lines make together");
  const skipped = await tx.all<{ id: string; day: string }>(
    `SELECT t.id, t.reference AS day FROM transfer t JOIN skipped_day s ON s.day = t.reference WHERE t.code = 'bill'
     UNION ALL SELECT 'billed_day', b.day FROM billed_day b JOIN skipped_day s ON s.day = b.day`,
  );
  for (const { id, day } of skipped) tell("skipped_day", day, `is never to be billed, and there is ${id}`);
  await checkBilled(tx, tell);
}

/**
 * What the bill of a marked day takes is on it, as it was last measured. A day that came to nothing has no bill: an account
 * without one is told of where somebody else paid for the same meter on that day.
 */
async function checkBilled(tx: ReadTx, tell: Report): Promise<void> {
  const rows = await tx.all<Record<"day" | "account" | "machine" | "meter", string> & { revision: bigint }>(
    `WITH paid AS MATERIALIZED (
       SELECT DISTINCT t.reference AS day, l.meter FROM bill_line l JOIN transfer t ON t.id = l.transfer
       WHERE t.code = 'bill' AND l.price_atto > 0)
     SELECT u.day, u.account, u.machine, u.meter, u.revision FROM usage_to_bill u JOIN billed_day b ON b.day = u.day
     LEFT JOIN transfer t ON t.id = 'bill/' || u.account || '/' || u.day
     LEFT JOIN bill_line l ON l.transfer = t.id AND l.machine = u.machine AND l.meter = u.meter
     WHERE l.revision IS NOT u.revision
       AND (t.id IS NOT NULL OR u.quantity > 0 AND (u.day, u.meter) IN (SELECT day, meter FROM paid))`,
  );
  for (const { day, account, machine, meter, revision } of rows) {
    const table = revision === 1n ? "usage" : "usage_revision";
    tell(table, `${day} ${account} ${machine} ${meter} ${revision}`, "is not on the bill of its day");
  }
}

/** Each revision of usage that came after its bill is made up for by its transfer, and no other transfer does that. */
export async function checkRevisions(tx: ReadTx, tell: Report): Promise<void> {
  let last = { day: "", account: "", machine: "", meter: "", revision: 0n };
  for (;;) {
    const rows = await tx.all<RevisionRow>(
      `SELECT r.day, r.account, r.machine, r.meter, r.revision, r.quantity, r.price_atto AS priceAtto, r.transfer,
              t.code, CASE t.code WHEN 'bill-more' THEN t.debit ELSE t.credit END AS owner, t.picodollars, t.attodollars,
              coalesce(p.quantity, CASE r.revision WHEN 2 THEN u.quantity END, 0) AS before
       FROM usage_revision r LEFT JOIN transfer t ON t.id = r.transfer
       LEFT JOIN usage_revision p ON p.day = r.day AND p.account = r.account AND p.machine = r.machine
         AND p.meter = r.meter AND p.revision = r.revision - 1
       LEFT JOIN usage u ON u.day = r.day AND u.account = r.account AND u.machine = r.machine AND u.meter = r.meter
       WHERE (r.day, r.account, r.machine, r.meter, r.revision) > (?, ?, ?, ?, ?)
       ORDER BY r.day, r.account, r.machine, r.meter, r.revision LIMIT ?`,
      [last.day, last.account, last.machine, last.meter, last.revision, batchSize],
    );
    for (const row of rows) {
      const what = `${row.day} ${row.account} ${row.machine} ${row.meter} ${row.revision}`;
      for (const message of judgeRevision(row)) tell("usage_revision", what, message);
      last = row;
    }
    if (rows.length < batchSize) break;
  }
  const strangers = await tx.all<{ id: string }>(
    `SELECT t.id FROM transfer t WHERE t.code IN ('bill-more', 'bill-less')
     AND NOT EXISTS (SELECT 1 FROM usage_revision r WHERE r.transfer = t.id)`,
  );
  for (const { id } of strangers) tell("transfer", id, "makes up for no revision of usage");
}

interface RevisionRow {
  readonly day: string;
  readonly account: string;
  readonly machine: string;
  readonly meter: string;
  readonly revision: bigint;
  readonly quantity: bigint;
  readonly priceAtto: bigint | null;
  readonly transfer: string | null;
  readonly code: string | null;
  readonly owner: string | null;
  readonly picodollars: bigint | null;
  readonly attodollars: bigint | null;
  readonly before: bigint;
}

function judgeRevision(row: RevisionRow): readonly string[] {
  const { priceAtto, transfer, quantity, before, picodollars, attodollars } = row;
  // Taken by the bill itself, or waiting for it: checkBilled looks at those.
  if (priceAtto === null) return transfer === null ? [] : [`has transfer ${transfer}, and no price`];
  const due = (quantity - before) * priceAtto;
  const moved = fromColumns({ picodollars: picodollars ?? 0n, attodollars: attodollars ?? 0n });
  const wrong: string[] = [];
  if ((row.code === "bill-less" ? -moved : moved) !== due)
    wrong.push(`makes ${due} attodollars, and ${transfer ?? "no transfer"} moved ${moved}`);
  if (
    transfer !== null &&
    (row.owner !== row.account || !transfer.startsWith(`bill/${row.account}/${row.day}/r`))
  )
    wrong.push(`is made up for by ${transfer}, which is of something else`);
  return wrong;
}

/** What was credited is what was ordered, in money of the books' kind. */
export async function checkTopups(tx: ReadTx, tell: Report): Promise<void> {
  const rows = await tx.all<{ id: string; message: string }>(
    `SELECT t.id, CASE WHEN o.id IS NULL THEN 'no order "' || t.reference || '" is in the books'
       WHEN o.account <> t.credit THEN 'was ordered by ' || o.account || ', and credited to ' || t.credit
       WHEN o.picodollars <> t.picodollars OR o.attodollars <> t.attodollars THEN 'is not what was ordered'
       ELSE 'is of the other mode than the books' END AS message
     FROM transfer t LEFT JOIN payment_order o ON o.id = t.reference
     WHERE t.code = 'topup' AND (o.id IS NULL OR o.account <> t.credit OR o.picodollars <> t.picodollars
       OR o.attodollars <> t.attodollars OR o.livemode IS NOT (SELECT livemode FROM books_mode))`,
  );
  for (const { id, message } of rows) tell("transfer", id, message);
}

/** What was taken back was paid in before, by the same account; and each further step is over what the first one was. */
export async function checkReturns(tx: ReadTx, tell: Report): Promise<void> {
  const strangers = await tx.all<{ id: string; reference: string }>(
    `SELECT t.id, t.reference FROM transfer t LEFT JOIN transfer p ON p.id = 'topup/' || t.reference
     WHERE (t.code IN ('refund', 'dispute') AND p.credit IS NOT t.debit)
        OR (t.code IN ('refund-undone', 'dispute-undone') AND p.credit IS NOT t.credit)`,
  );
  for (const { id, reference } of strangers)
    tell("transfer", id, `is of payment ${reference}, which was not this account's`);
  // The first step is of the credit, and one beside it of the tax; what moves at Stripe is both.
  const steps = await tx.all<{ id: string }>(
    `SELECT t.id FROM transfer t
     LEFT JOIN transfer b ON b.id = rtrim(rtrim(t.id, 'abcdefghijklmnopqrstuvwxyz'), '/')
     LEFT JOIN transfer x ON x.id = b.id || '/tax'
     WHERE CASE
       WHEN t.code IN ('refund-paid', 'refund-returned', 'dispute-paid', 'dispute-returned') THEN
         t.picodollars IS NOT b.picodollars + coalesce(x.picodollars, 0) OR t.attodollars IS NOT b.attodollars
       WHEN t.code = 'refund-undone' THEN t.picodollars IS NOT b.picodollars OR t.attodollars IS NOT b.attodollars
       WHEN t.code = 'refund-tax-undone' THEN t.picodollars IS NOT x.picodollars OR t.attodollars IS NOT x.attodollars
       WHEN t.code IN ('tax', 'refund-tax', 'dispute-tax', 'dispute-tax-undone') THEN b.id IS NULL END`,
  );
  for (const { id } of steps) tell("transfer", id, "is a step of nothing, or over another amount");
}

/** What people gave and took stands in the audit log, under the transfer's id. */
export async function checkDeeds(tx: ReadTx, tell: Report): Promise<void> {
  const rows = await tx.all<{ id: string }>(
    `SELECT t.id FROM transfer t
     WHERE t.code IN ('goodwill', 'goodwill-undone', 'gift', 'charge', 'opening', 'opening-owed') AND NOT EXISTS (
       SELECT 1 FROM audit a WHERE a.account IN (t.debit, t.credit) AND substr(a.detail, length(a.detail) - length(t.id) + 1) = t.id)`,
  );
  for (const { id } of rows) tell("transfer", id, "was decided by nobody: the audit log has no line of it");
  const unasked = await tx.all<{ id: string }>(
    `SELECT t.id FROM transfer t WHERE t.code IN ('forfeit', 'written-off') AND NOT EXISTS (
       SELECT 1 FROM closing c WHERE c.account IN (t.debit, t.credit) AND c.done_at IS NOT NULL)`,
  );
  for (const { id } of unasked) tell("transfer", id, "is of an account that was not closed");
  const log = await tx.get<{ n: bigint; last: bigint | null }>(
    "SELECT count(*) AS n, max(number) AS last FROM audit",
  );
  if ((log?.last ?? 0n) !== log?.n)
    tell("audit", log?.last ?? 0n, `is the last of ${log?.n ?? 0n} lines: others were taken away`);
}
