/** The payments of an account, and what became of each. Reads only. */
import { formatDollars, zero } from "../lib/money/amount.ts";
import { listPayments } from "../lib/payments/receipt.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const payments = await visit.site.store.read((tx) => listPayments(tx, account.id));
    return respondPage(visit, {
      title: "Payments",
      template: "payments",
      data: {
        payments: payments.map(({ order, isRecharge, begunAt, amount, tax, state, returned, receipt }) => ({
          begun: formatUtc(begunAt),
          isRecharge,
          amount: formatDollars(amount),
          tax: tax > zero ? formatDollars(tax) : "",
          returned: returned > zero ? formatDollars(returned) : "",
          isPaid: state === "paid",
          isOpen: state === "open",
          isExpired: state === "expired",
          isFailed: state === "failed",
          receipt: receipt ?? "",
          href: state === "paid" ? `${pathOf("receipt")}?order=${order}` : "",
        })),
        pay: pathOf("pay"),
        account: pathOf("account"),
      },
    });
  });
}
