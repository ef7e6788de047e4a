/**
 * The calls of Stripe's API that the stand-in answers, as functions from a request to an answer: checkout sessions,
 * payment intents, saved cards, refunds, disputes, balance transactions, events. Who calls, and whether the call is a repeat, was settled before (dev/stripe).
 */
import { type ApiAnswer, type ApiError, invalid, missingObject, unknownAddress } from "./answer.ts";
import type { StandInBooks } from "./books.ts";
import { type FormTree, textAt, textsOf, treeAt } from "./form.ts";
import { type Listed, listPage } from "./list.ts";
import type { CheckoutSession } from "./object.ts";
import { readOrder } from "./order.ts";
import type { Movement } from "./vault.ts";

export interface ApiCall {
  readonly method: string;
  /** Without the query, "/v1/events". */
  readonly path: string;
  /** The body's parameters of a POST, the query's of a GET. */
  readonly parameters: FormTree;
}

type Answer = ApiAnswer | ApiError;

/** `now` in seconds since the epoch. */
export function answerCall(books: StandInBooks, call: ApiCall, now: number): Answer {
  const { method, path, parameters } = call;
  const [, , first = "", second = "", third, fourth, ...rest] = path.split("/");
  const shape = `${method} ${first}${first === "checkout" ? `/${second}` : ""}`;
  const id = first === "checkout" ? third : second === "" ? undefined : second;
  const verb = first === "checkout" ? fourth : third;
  if (!path.startsWith("/v1/") || rest.length > 0 || (verb !== undefined && verb !== "expire"))
    return unknownAddress(method, path);
  if (verb === "expire")
    return shape === "POST checkout/sessions" ? expire(books, id ?? "") : unknownAddress(method, path);
  switch (shape) {
    case "POST checkout/sessions":
      return id === undefined ? create(books, parameters, now) : unknownAddress(method, path);
    case "GET checkout/sessions":
      return id === undefined ? listSessions(books, parameters) : readSession(books, id, parameters);
    case "POST payment_intents":
      return id === undefined ? books.wallet.charge(parameters) : unknownAddress(method, path);
    case "GET payment_intents":
      return id === undefined ? listIntents(books, parameters) : readIntent(books, id);
    case "DELETE customers":
      return id === undefined ? unknownAddress(method, path) : books.wallet.forget(id);
    case "POST refunds":
      return id === undefined ? refund(books, parameters) : unknownAddress(method, path);
    case "GET refunds":
      return readOrList(books.vault.refunds(), id, parameters, "refund");
    case "GET disputes":
      return readOrList(books.vault.disputes(), id, parameters, "dispute");
    case "GET balance_transactions":
      return listMovements(books, parameters);
    case "GET events":
      return id === undefined ? listEvents(books, parameters) : readEvent(books, id);
    default:
      return unknownAddress(method, path);
  }
}

function found(body: object | undefined, otherwise: ApiError): Answer {
  return body === undefined ? otherwise : { status: 200, body };
}

function create(books: StandInBooks, parameters: FormTree, now: number): Answer {
  const order = readOrder(parameters, now);
  if (!order.ok) return order;
  return expand(books, books.create(order.value), parameters);
}

function readSession(books: StandInBooks, id: string, parameters: FormTree): Answer {
  const session = books.findSession(id);
  if (session === undefined) return missingObject("checkout.session", "session", id);
  return expand(books, session, parameters);
}

/** `expand[]=payment_intent` puts the object where its id stands; a setup intent comes with its card. */
function expand(books: StandInBooks, session: CheckoutSession, parameters: FormTree): Answer {
  const names = Object.values(textsOf(treeAt(parameters, "expand")));
  const unknown = names.find((name) => name !== "payment_intent" && name !== "setup_intent.payment_method");
  if (unknown !== undefined)
    return invalid("parameter_invalid", "expand", `This property cannot be expanded (${unknown}).`);
  let body: object = session;
  const intent = books.findIntent(session.payment_intent ?? "");
  if (names.includes("payment_intent") && intent !== undefined) body = { ...body, payment_intent: intent };
  const setup = books.wallet.findSetup(session.setup_intent ?? "");
  if (names.includes("setup_intent.payment_method") && setup !== undefined) {
    const payment_method = books.wallet.findMethod(setup.payment_method) ?? setup.payment_method;
    body = { ...body, setup_intent: { ...setup, payment_method } };
  }
  return { status: 200, body };
}

function listIntents(books: StandInBooks, parameters: FormTree): Answer {
  const customer = textAt(parameters, "customer");
  const all = books.intents();
  const fitting = customer === undefined ? all : all.filter((intent) => intent.customer === customer);
  const page = listPage(fitting, parameters, "/v1/payment_intents");
  return page.ok ? { status: 200, body: page.body } : page;
}

function expire(books: StandInBooks, id: string): Answer {
  const session = books.findSession(id);
  if (session === undefined) return missingObject("checkout.session", "session", id);
  if (session.status === "open") return { status: 200, body: books.expire(id) };
  return invalid(
    "parameter_invalid",
    "session",
    `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of "${session.status}".`,
  );
}

function listSessions(books: StandInBooks, parameters: FormTree): Answer {
  const intent = textAt(parameters, "payment_intent");
  const all = books.sessions();
  const fitting = intent === undefined ? all : all.filter((session) => session.payment_intent === intent);
  const page = listPage(fitting, parameters, "/v1/checkout/sessions");
  return page.ok ? { status: 200, body: page.body } : page;
}

function readIntent(books: StandInBooks, id: string): Answer {
  return found(books.findIntent(id), missingObject("payment_intent", "intent", id));
}

function refund(books: StandInBooks, parameters: FormTree): Answer {
  const cents = textAt(parameters, "amount");
  const made = books.vault.refund({
    paymentIntent: textAt(parameters, "payment_intent") ?? "",
    cents: cents === undefined ? undefined : Number(cents),
    metadata: textsOf(treeAt(parameters, "metadata")),
  });
  return "ok" in made ? (made as ApiError) : { status: 200, body: made };
}

function readOrList(
  items: readonly (Listed & { readonly payment_intent: string })[],
  id: string | undefined,
  parameters: FormTree,
  kind: string,
): Answer {
  if (id !== undefined)
    return found(
      items.find((item) => item.id === id),
      missingObject(kind, kind, id),
    );
  const intent = textAt(parameters, "payment_intent");
  const fitting = items.filter((item) => intent === undefined || item.payment_intent === intent);
  const page = listPage(fitting, parameters, `/v1/${kind}s`);
  return page.ok ? { status: 200, body: page.body } : page;
}

/** `expand[]=data.source` puts the charge where its id stands. */
function listMovements(books: StandInBooks, parameters: FormTree): Answer {
  const page = listPage(books.vault.movements(), parameters, "/v1/balance_transactions");
  if (!page.ok) return page;
  if (treeAt(parameters, "expand").size === 0) return { status: 200, body: page.body };
  const data = (page.body.data as readonly Movement[]).map((movement) => ({
    ...movement,
    source: books.vault.findCharge(movement.source) ?? { id: movement.source },
  }));
  return { status: 200, body: { ...page.body, data } };
}

function listEvents(books: StandInBooks, parameters: FormTree): Answer {
  const type = textAt(parameters, "type");
  const types = [
    ...Object.values(textsOf(treeAt(parameters, "types"))),
    ...(type === undefined ? [] : [type]),
  ];
  const all = books.events();
  const fitting = types.length === 0 ? all : all.filter((event) => types.includes(event.type));
  const page = listPage(fitting, parameters, "/v1/events");
  return page.ok ? { status: 200, body: page.body } : page;
}

function readEvent(books: StandInBooks, id: string): Answer {
  const event = books.events().find((candidate) => candidate.id === id);
  return found(event, missingObject("event", "id", id));
}
