/** The receipt of a payment: made with the buyer's words when it is asked for, then shown as it was made, for printing. */
import type { Account } from "../lib/accounts/account.ts";
import { addAmounts, formatDollars, zero } from "../lib/money/amount.ts";
import {
  listPayments,
  makeReceipt,
  type Payment,
  type Receipt,
  readLastBuyer,
  readReceipt,
} from "../lib/payments/receipt.ts";
import { dayOf } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import { statusOf } from "./support/network.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, type Visit, withAccount } from "./support/visit.ts";

const mostLines = 8;

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const isPost = visit.request.method === "POST";
    const order = (isPost ? visit.form : visit.query).get("order") ?? "";
    const found = await visit.site.store.read(async (tx) => {
      const payments = await listPayments(tx, account.id);
      return {
        payment: payments.find((one) => one.order === order && one.state === "paid"),
        receipt: await readReceipt(tx, order),
        last: await readLastBuyer(tx, account.id),
      };
    });
    // The same for one of another customer and one that is not there.
    if (found.payment === undefined)
      return respondPage(visit, { title: "No such payment", template: "pay-unknown", status: 404 });
    if (isPost) return make(visit, found.payment);
    return found.receipt === undefined
      ? showForm(visit, found.payment, { ...found.last, error: "" })
      : show(visit, account, { payment: found.payment, receipt: found.receipt });
  });
}

async function make(visit: Visit, payment: Payment): Promise<Response> {
  const { form, site } = visit;
  const buyer = tidyLines(form.get("buyer") ?? "");
  const buyerTaxId = (form.get("tax_id") ?? "").trim();
  const error =
    buyer === "" || buyer.split("\n").length > mostLines
      ? `Type the buyer's name, and the address if you want it, in 1 to ${mostLines} lines.`
      : /\p{Cc}/u.test(buyerTaxId)
        ? "The tax id has a character that cannot be printed."
        : "";
  if (error !== "") return showForm(visit, payment, { buyer, buyerTaxId, error });
  const words = { seller: sellerOf(site.settings), buyer, buyerTaxId };
  await site.store.write((tx) => makeReceipt(tx, payment, words));
  return respondRedirect(visit, `${pathOf("receipt")}?order=${payment.order}`);
}

/** Lines without blanks around them, and no control characters between. */
function tidyLines(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/\p{Cc}/gu, " ").trim())
    .filter((line) => line !== "")
    .join("\n");
}

function sellerOf({ seller, name }: Settings): string {
  const { name: own, address, taxId } = seller;
  return [own === "" ? name : own, ...address, ...(taxId === "" ? [] : [`Tax id: ${taxId}`])].join("\n");
}

function showForm(
  visit: Visit,
  payment: Payment,
  shown: { readonly buyer: string; readonly buyerTaxId: string; readonly error: string },
): Response {
  return respondPage(visit, {
    title: "A receipt",
    template: "receipt-new",
    ...statusOf(shown),
    data: {
      ...shown,
      order: payment.order,
      amount: formatDollars(payment.amount),
      day: payment.day,
      payments: pathOf("payments"),
    },
  });
}

function show(
  visit: Visit,
  account: Account,
  { payment, receipt }: { readonly payment: Payment; readonly receipt: Receipt },
): Response {
  const { amount, tax, day, order, returned } = payment;
  return respondPage(visit, {
    title: `Receipt ${receipt.number}`,
    template: "receipt",
    data: {
      number: receipt.number,
      made: dayOf(receipt.madeAt),
      seller: receipt.seller.split("\n"),
      buyer: receipt.buyer.split("\n"),
      buyerTaxId: receipt.buyerTaxId,
      account: account.id,
      order,
      day,
      amount: formatDollars(amount),
      tax: tax > zero ? formatDollars(tax) : "",
      total: formatDollars(addAmounts(amount, tax)),
      returned: returned > zero ? formatDollars(returned) : "",
      payments: pathOf("payments"),
    },
  });
}
