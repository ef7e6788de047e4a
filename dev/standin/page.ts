/**
 * The checkout page of the stand-in: plain HTML without scripts, marked so that nobody takes it for a place
 * where money moves.
 */
import { createHash } from "node:crypto";
import { escapeHtml } from "../markup.ts";
import type { CheckoutSession } from "./object.ts";
import type { OrderedSession } from "./order.ts";
import { cardButtons } from "./wallet.ts";

const style = `
body { font: 16px/1.5 sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
.notice { border: 2px dashed #b45309; background: #fffbeb; padding: .5rem 1rem; }
.error { border-left: 4px solid #b91c1c; padding-left: 1rem; }
table { width: 100%; border-collapse: collapse; } td, th { text-align: left; padding: .3rem 0; border-bottom: 1px solid #ddd; }
td:last-child, th:last-child { text-align: right; }
button { font: inherit; padding: .4rem .8rem; margin: .3rem .3rem .3rem 0; }
`;
const styleHash = createHash("sha256").update(style).digest("base64");

/** The headers of a page; a form may lead to where its session's payment leads. */
export function pageHeaders(order: OrderedSession | undefined): Readonly<Record<string, string>> {
  const ways = order === undefined ? [] : [order.successUrl, order.cancelUrl ?? order.successUrl];
  const origins = [...new Set(ways.map((url) => new URL(url).origin))].map((origin) => ` ${origin}`);
  return {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'${origins.join("")}; frame-ancestors 'none'; base-uri 'none'`,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
  };
}

/** The page of an open session: what is bought or saved, and what may happen. */
export function checkoutPage(session: CheckoutSession, order: OrderedSession, error: string): string {
  if (order.mode === "setup") return cardPage(session, order, error);
  const rows = order.items.map((item) => {
    const name = item.quantity === 1 ? item.name : `${item.quantity} × ${item.name}`;
    return `<tr><td>${escapeHtml(name)}</td><td>${dollars(item.unitAmountCents * item.quantity)}</td></tr>`;
  });
  const shownError = errorLine(error);
  const email = session.customer_email === null ? "" : `<p>For ${escapeHtml(session.customer_email)}</p>`;
  const cancel = cancelButton(order);
  return frame(
    "Checkout",
    `${shownError}
<table>
<tr><th>Item</th><th>Amount</th></tr>
${rows.join("\n")}
${order.taxCents === 0 ? "" : `<tr><td>Tax</td><td>${dollars(order.taxCents)}</td></tr>\n`}<tr><th>Total</th><th>${dollars(order.totalCents + order.taxCents)}</th></tr>
</table>
${email}
<form method="post" action="/c/pay/${escapeHtml(session.id)}">
<p><button name="outcome" value="pay">Pay ${dollars(order.totalCents + order.taxCents)}</button></p>
<p>Or try what else may happen:</p>
<p><button name="outcome" value="late">Pay, but tell late</button>
<button name="outcome" value="decline">Decline the card</button>
${cancel}</p>
</form>`,
  );
}

/** The page on which a card is saved. */
function cardPage(session: CheckoutSession, order: OrderedSession, error: string): string {
  const buttons = Object.entries(cardButtons).map(
    ([outcome, { label, last4 }]) => `<button name="outcome" value="${outcome}">${label} (${last4})</button>`,
  );
  return frame(
    "Save a card",
    `${errorLine(error)}
<form method="post" action="/c/pay/${escapeHtml(session.id)}">
<p>${buttons.join("\n")}
${cancelButton(order)}</p>
</form>`,
  );
}

function errorLine(error: string): string {
  return error === "" ? "" : `<p class="error" role="alert">${escapeHtml(error)}</p>`;
}

function cancelButton({ cancelUrl }: OrderedSession): string {
  return cancelUrl === null ? "" : `<button name="outcome" value="cancel">Cancel and go back</button>`;
}

/** The page of a session that is over; `said` is what a button has just done. */
export function closedPage(session: CheckoutSession, said = ""): string {
  const isPaid = session.status === "complete" && session.payment_status === "paid";
  const what =
    session.status === "complete"
      ? "This payment is complete; nothing is left to do here."
      : "This page is no longer valid. Start again from the site.";
  const note = said === "" ? "" : `<p class="notice" role="status">${escapeHtml(said)}</p>\n`;
  return frame(
    "Checkout",
    `${note}<p>${what}</p>\n<p><a href="${escapeHtml(returnUrl(session))}">Back to the site</a></p>${isPaid ? laterForm(session) : ""}`,
  );
}

/** What may happen to a payment afterwards, as Stripe's dashboard or the customer's bank would bring it about. */
function laterForm(session: CheckoutSession): string {
  const buttons = Object.entries(laterButtons).map(
    ([outcome, label]) => `<button name="outcome" value="${outcome}">${label}</button>`,
  );
  return `
<form method="post" action="/c/pay/${escapeHtml(session.id)}">
<p>Or try what may happen to it later:</p>
<p>${buttons.join("\n")}</p>
</form>`;
}

export const laterButtons = {
  refund: "Refund half of it",
  "fail-refund": "Let the last refund fail",
  dispute: "Dispute it at the bank",
  win: "Win the dispute",
  lose: "Lose the dispute",
  payout: "Pay out what Stripe holds",
} as const;
export type LaterOutcome = keyof typeof laterButtons;

export function unknownPage(): string {
  return frame(
    "No such checkout",
    "<p>The stand-in keeps checkouts in memory: those of an earlier start are gone. Start again from the site.</p>",
  );
}

/** Where a finished payment leads. */
export function returnUrl(session: CheckoutSession): string {
  if (session.status !== "complete") return session.cancel_url ?? session.success_url;
  return session.success_url.replaceAll("{CHECKOUT_SESSION_ID}", session.id);
}

function dollars(cents: number): string {
  return `$${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}

function frame(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} (development stand-in)</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="notice"><strong>Development stand-in for Stripe: no money moves.</strong> Nothing typed or pressed here reaches Stripe.</p>
${main}
</main>
</body>
</html>
`;
}
