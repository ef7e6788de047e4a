/**
 * What a caller asks for when it makes a Checkout Session, checked as Stripe checks it. Only what the site uses
 * is taken; anything else is refused by name, so that a new parameter cannot be forgotten here.
 */
import { type ApiError, invalid } from "./answer.ts";
import { type FormTree, textAt, textsOf, treeAt } from "./form.ts";

export interface OrderedItem {
  readonly name: string;
  readonly description: string;
  readonly unitAmountCents: number;
  readonly quantity: number;
}

export interface OrderedSession {
  readonly mode: "payment" | "setup";
  readonly items: readonly OrderedItem[];
  /** Without tax, and the tax: a tenth of it where tax is asked for. */
  readonly totalCents: number;
  readonly taxCents: number;
  readonly successUrl: string;
  readonly cancelUrl: string | null;
  readonly clientReferenceId: string | null;
  readonly customerEmail: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly intentMetadata: Readonly<Record<string, string>>;
  readonly expiresAt: number;
}

const parameters: readonly string[] = [
  "mode",
  "line_items",
  "success_url",
  "cancel_url",
  "client_reference_id",
  "customer_email",
  "metadata",
  "payment_intent_data",
  "expires_at",
  "automatic_tax",
  "expand",
];
/** Of a session that saves a card. */
const setupParameters: readonly string[] = [
  "mode",
  "success_url",
  "cancel_url",
  "client_reference_id",
  "customer_email",
  "customer_creation",
  "metadata",
  "setup_intent_data",
  "allowed_payment_method_types",
  "expires_at",
  "expand",
];
const minuteSeconds = 60;
const daySeconds = 86_400;
// Stripe's least charge in dollars, docs.stripe.com/currencies#minimum-and-maximum-charge-amounts.
const leastCents = 50;
const mostCents = 99_999_999;

type Read<Value> = { readonly ok: true; readonly value: Value } | ApiError;

/** Reads and checks the parameters; `now` in seconds since the epoch. */
export function readOrder(form: FormTree, now: number): Read<OrderedSession> {
  const mode = textAt(form, "mode");
  if (mode !== "payment" && mode !== "setup")
    return invalid("parameter_missing", "mode", "The development stand-in takes mode=payment and mode=setup");
  const known = mode === "setup" ? setupParameters : parameters;
  const unknown = [...form.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    return invalid(
      "parameter_unknown",
      unknown,
      `Received unknown parameter: ${unknown} (the development stand-in takes ${known.join(", ")})`,
    );
  const items: Read<readonly OrderedItem[]> =
    mode === "setup" ? readSetup(form) : readItems(treeAt(form, "line_items"));
  if (!items.ok) return items;
  const successUrl = readUrl(form, "success_url");
  if (!successUrl.ok) return successUrl;
  if (successUrl.value === null) return missing("success_url");
  const cancelUrl = readUrl(form, "cancel_url");
  if (!cancelUrl.ok) return cancelUrl;
  const expiresAt = readExpiry(textAt(form, "expires_at"), now);
  if (!expiresAt.ok) return expiresAt;
  const totalCents = items.value.reduce((sum, item) => sum + item.unitAmountCents * item.quantity, 0);
  if (mode === "payment" && (totalCents < leastCents || totalCents > mostCents))
    return invalid(
      totalCents < leastCents ? "amount_too_small" : "amount_too_large",
      "line_items",
      "The Checkout Session's total amount due must be from $0.50 to $999,999.99 usd",
    );
  return {
    ok: true,
    value: {
      mode,
      items: items.value,
      totalCents,
      taxCents: textAt(form, "automatic_tax", "enabled") === "true" ? Math.floor(totalCents / 10) : 0,
      successUrl: successUrl.value,
      cancelUrl: cancelUrl.value,
      clientReferenceId: textAt(form, "client_reference_id") ?? null,
      customerEmail: textAt(form, "customer_email") ?? null,
      metadata: textsOf(treeAt(form, "metadata")),
      intentMetadata: textsOf(
        treeAt(form, mode === "setup" ? "setup_intent_data" : "payment_intent_data", "metadata"),
      ),
      expiresAt: expiresAt.value,
    },
  };
}

/** Nothing is bought; but the site needs the customer who has the card, and cards only. */
function readSetup(form: FormTree): Read<readonly OrderedItem[]> {
  if (textAt(form, "customer_creation") !== "always") return missing("customer_creation");
  const types = Object.values(textsOf(treeAt(form, "allowed_payment_method_types")));
  if (types.join() !== "card") return missing("currency");
  return { ok: true, value: [] };
}

function missing(name: string): ApiError {
  return invalid("parameter_missing", name, `Missing required param: ${name}.`);
}

function readItems(tree: FormTree): Read<readonly OrderedItem[]> {
  if (tree.size === 0) return missing("line_items");
  const items: OrderedItem[] = [];
  for (const [index, value] of tree) {
    const item = readItem(`line_items[${index}]`, typeof value === "string" ? new Map() : value);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return { ok: true, value: items };
}

function readItem(where: string, tree: FormTree): Read<OrderedItem> {
  const price = `${where}[price_data]`;
  const currency = textAt(tree, "price_data", "currency");
  if (currency === undefined) return missing(`${price}[currency]`);
  if (currency.toLowerCase() !== "usd")
    return invalid("parameter_invalid", `${price}[currency]`, `Invalid currency: ${currency}; usd is taken`);
  const name = textAt(tree, "price_data", "product_data", "name") ?? "";
  if (name === "") return missing(`${price}[product_data][name]`);
  const unitAmountCents = readWhole(textAt(tree, "price_data", "unit_amount"));
  if (unitAmountCents === undefined) return notWhole(`${price}[unit_amount]`);
  const quantity = readWhole(textAt(tree, "quantity"));
  if (quantity === undefined || quantity < 1) return notWhole(`${where}[quantity]`);
  const description = textAt(tree, "price_data", "product_data", "description") ?? "";
  return { ok: true, value: { name, description, unitAmountCents, quantity } };
}

function readWhole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,8}$/.test(text) ? Number(text) : undefined;
}

function notWhole(param: string): ApiError {
  return invalid("parameter_invalid_integer", param, `Missing or invalid integer: ${param}`);
}

function readUrl(form: FormTree, name: string): Read<string | null> {
  const text = textAt(form, name);
  if (text === undefined) return { ok: true, value: null };
  if (/^https?:\/\/./i.test(text) && URL.canParse(text)) return { ok: true, value: text };
  return invalid("url_invalid", name, "Not a valid URL");
}

/** Stripe lets a session live 30 minutes to 24 hours, and 24 hours where nothing is said. */
function readExpiry(text: string | undefined, now: number): Read<number> {
  if (text === undefined) return { ok: true, value: now + daySeconds };
  if (!/^\d{1,12}$/.test(text)) return notWhole("expires_at");
  const seconds = Number(text);
  if (seconds >= now + 30 * minuteSeconds && seconds <= now + daySeconds) return { ok: true, value: seconds };
  return invalid(
    "parameter_invalid",
    "expires_at",
    "The `expires_at` timestamp must be 30 minutes to 24 hours from Checkout Session creation.",
  );
}
