/**
 * A browser in front of the account programs, without a web server: it keeps a cookie, carries form tokens, and
 * pays at the development stand-in for Stripe. The programs, the books, and Stripe's library are the real ones.
 */
import { createServer } from "node:http";
import { join } from "node:path";
import { openBundles } from "../../build/bundles.ts";
import { answerRequest } from "../../cgi/support/answer.ts";
import { type Request, readRequest } from "../../cgi/support/request.ts";
import { cookieName, formTokenOf, type Handler, type Site } from "../../cgi/support/visit.ts";
import { endServer, listen } from "../../dev/listen.ts";
import type { StandInBooks } from "../../dev/standin/books.ts";
import { startStripe } from "../../dev/stripe.ts";
import type { AccountId } from "../../lib/accounts/account.ts";
import type { PasswordCost } from "../../lib/accounts/password.ts";
import { stripeApiVersion } from "../../lib/payments/stripe/signed.ts";
import type { Store } from "../../lib/store/store.ts";
import { takeAtLeast } from "../../lib/util/clock.ts";
import { routes } from "../../lib/util/routes.ts";
import type { Secrets, Settings } from "../../lib/util/settings.ts";
import { projectFolder } from "./served.ts";
import { makeSettings, packageRenderer, testUrl } from "./site.ts";
import { makeTestStore, type TestStore } from "./store.ts";

/** Every program of the route table, by its name. */
const handlers = new Map(
  await Promise.all(
    routes.map(async ({ name }) => {
      const { handle } = (await import(`../../cgi/${name}.ts`)) as { handle: Handler };
      return [name, handle] as const;
    }),
  ),
);

/** The templates that each program carries when it is built: one that asks for another has none to show. */
const { all: bundles } = await openBundles({ codeFolder: join(projectFolder, "out"), codeEnding: ".js" });
const carried = new Map(
  bundles.filter(({ kind }) => kind === "cgi").map(({ name, templates }) => [name, templates] as const),
);

/** Real scrypt, at a cost that a test can pay. */
const cheapCost = { log2N: 4, r: 8, p: 1 } as const;

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** An event as Stripe delivers it. */
export interface Delivery {
  readonly raw: string;
  readonly signature: string;
}

type Fields = Readonly<Record<string, string>>;

export interface Visitor {
  readonly test: TestStore;
  /** What each template was given last, by its name. */
  readonly given: ReadonlyMap<string, object>;
  /** What the programs wrote for the operator. */
  readonly logged: readonly string[];
  readonly get: (name: string, query?: Fields) => Promise<Answer>;
  /** Sends a form with the token that belongs to this browser's cookie. */
  readonly post: (name: string, fields: Fields) => Promise<Answer>;
  readonly postRaw: (name: string, body: string, signature: string) => Promise<Answer>;
  /** As the service asks: a bearer token ("" for none), no cookie, a body that is sent as it is. */
  readonly ask: (name: string, token: string, change: ServiceRequest) => Promise<Answer>;
  /** A request as the web server hands it over, whatever it is; the browser's own cookie has no part in it. */
  readonly hand: (
    name: string,
    environment: Readonly<Record<string, string>>,
    body: Uint8Array,
    wrap?: (handler: Handler) => Handler,
  ) => Promise<Answer>;
  readonly cookie: () => string;
  /** Comes from another address from now on. */
  readonly moveTo: (remoteAddress: string) => void;
  readonly setCookie: (token: string) => void;
  /** Another browser on the same books. */
  readonly again: (change?: {
    readonly secrets?: Secrets;
    readonly settings?: Partial<Settings>;
    readonly cost?: PasswordCost;
    /** How long what must not tell by its time takes at least; 0 unless told. */
    readonly evenMs?: number;
    /** At once, unless told. */
    readonly hashInTurn?: Site["hashInTurn"];
  }) => Promise<Visitor>;
  /** Signs up, confirms, and logs in; gives the account's id. */
  readonly become: (email: string) => Promise<AccountId>;
  /** Logs in again, as whoever became a customer with this address. */
  readonly logIn: (email: string) => Promise<void>;
  /** Presses the button on the checkout page: the order that it comes back with, and the event that was sent. */
  readonly payAtStripe: (location: string) => Promise<{ readonly order: string; readonly event: Delivery }>;
  /** Presses another button of one of Stripe's pages: the address that it leads back to. */
  readonly pressAtStripe: (location: string, outcome: string) => Promise<URL>;
  /** What the other side knows. */
  readonly standIn: StandInBooks;
  readonly secrets: Secrets;
  /** Events that Stripe sent, in order. */
  readonly deliveries: readonly Delivery[];
  readonly tellWebhook: (event: Delivery) => Promise<Answer>;
  readonly end: () => Promise<void>;
}

export interface ServiceRequest {
  readonly query?: Fields;
  readonly body?: Uint8Array;
  readonly encoding?: string;
  /** The books' connection instead of the real one. */
  readonly store?: Store;
}

/** The other side: books, and a Stripe whose events wait until a test delivers them. */
interface World {
  readonly test: TestStore;
  readonly secrets: Secrets;
  readonly deliveries: Delivery[];
  readonly standIn: StandInBooks;
  readonly end: () => Promise<void>;
}

export async function makeVisitor(): Promise<Visitor> {
  const world = await makeWorld();
  return browse(world, world.secrets);
}

async function makeWorld(): Promise<World> {
  const test = makeTestStore();
  const deliveries: Delivery[] = [];
  const hook = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const signature = String(request.headers["stripe-signature"]);
    deliveries.push({ raw: Buffer.concat(chunks).toString(), signature });
    response.writeHead(200).end();
  });
  const [key, webhookSecret] = ["sk_test_standin_visitor", "whsec_visitor"];
  const stripe = await startStripe({
    port: 0,
    key,
    webhookSecret,
    webhookUrl: `http://127.0.0.1:${await listen(hook, 0)}/`,
    clock: test.clock,
    apiVersion: stripeApiVersion,
  });
  const end = async (): Promise<void> => {
    await stripe.close();
    await endServer(hook);
    test.end();
  };
  const secrets = {
    usage_token: "service-token",
    account_key: "0123456789abcdef".repeat(4),
    stripe_key: key,
    stripe_webhook_secret: webhookSecret,
    stripe_api: stripe.url,
  };
  return { test, secrets, deliveries, standIn: stripe.books, end };
}

async function browse(
  world: World,
  secrets: Secrets,
  change: {
    readonly settings?: Partial<Settings>;
    readonly cost?: PasswordCost;
    readonly evenMs?: number;
    readonly hashInTurn?: Site["hashInTurn"];
  } = {},
): Promise<Visitor> {
  const { test, deliveries } = world;
  const packageOwn = await packageRenderer();
  const given = new Map<string, object>();
  const rendererOf = (program: string): typeof packageOwn => ({
    ...packageOwn,
    render: (name, data) => {
      if (carried.get(program)?.includes(name) !== true) throw new Error(`${program} carries no ${name}`);
      given.set(name, data);
      return packageOwn.render(name, data);
    },
  });
  const settings = { ...(await makeSettings()), ...change.settings };
  const logged: string[] = [];
  let token = "";
  let remoteAddress = "192.0.2.1";

  const answer = async (
    name: string,
    request: Request,
    { store = test.store, wrap = (own) => own }: { store?: Store; wrap?: (handler: Handler) => Handler },
  ): Promise<Answer> => {
    const route = routes.find((candidate) => candidate.name === name);
    const handler = handlers.get(name);
    if (route === undefined || handler === undefined) throw new Error(`no program is named ${name}`);
    const log = (line: string): void => void logged.push(line);
    const renderer = rendererOf(name);
    const response = await answerRequest(
      route,
      wrap(handler),
      request,
      { settings, renderer, log, clock: test.clock },
      () => ({
        settings,
        secrets,
        store,
        // Tests of the search make it.
        search: { file: join(test.folder, "pages.sqlite") },
        renderer,
        clock: test.clock,
        passwordCost: change.cost ?? cheapCost,
        hashInTurn: change.hashInTurn ?? ((work) => work()),
        inEvenTime: (work) => takeAtLeast(change.evenMs ?? 0, work),
        log,
      }),
    );
    const headers = new Map(response.headers);
    const { body } = response;
    // Bytes as characters, one each.
    const text = typeof body === "string" ? body : Buffer.from(body).toString("latin1");
    return { status: response.status, headers, body: text };
  };

  const send = async (name: string, change: Partial<Request>, store = test.store): Promise<Answer> => {
    const environment = {
      SCRIPT_NAME: routes.find((candidate) => candidate.name === name)?.path ?? "",
      HTTP_HOST: new URL(testUrl).host,
      HTTP_COOKIE: token === "" ? "" : `${cookieName(testUrl)}=${token}`,
      REMOTE_ADDR: remoteAddress,
    };
    const given = await answer(name, { ...readRequest(environment), ...change }, { store });
    const set = new RegExp(`^${cookieName(testUrl)}=([^;]*)`).exec(given.headers.get("Set-Cookie") ?? "");
    if (set !== null) token = set[1] ?? "";
    return given;
  };

  const hand: Visitor["hand"] = (name, environment, body, wrap = (own) => own) => {
    const request = readRequest(environment);
    // As readBody reads it (cgi/support/request.ts): no more than was announced.
    return answer(name, { ...request, body: body.subarray(0, request.contentLength ?? 0) }, { wrap });
  };

  const sendBody = (name: string, body: string, change: Partial<Request>): Promise<Answer> => {
    const bytes = Buffer.from(body);
    return send(name, { method: "POST", contentLength: bytes.length, body: bytes, ...change });
  };

  const get: Visitor["get"] = (name, query = {}) =>
    send(name, { method: "GET", query: new URLSearchParams(query).toString() });
  const post: Visitor["post"] = (name, fields) =>
    sendBody(name, new URLSearchParams({ form_token: formTokenOf(token), ...fields }).toString(), {
      contentType: "application/x-www-form-urlencoded",
      origin: testUrl,
      fetchSite: "same-origin",
    });
  const postRaw: Visitor["postRaw"] = (name, body, stripeSignature) =>
    sendBody(name, body, { contentType: "application/json; charset=utf-8", stripeSignature });

  const ask: Visitor["ask"] = (name, bearer, { query = {}, body, encoding = "", store }) => {
    const head = {
      cookie: "",
      authorization: bearer === "" ? "" : `Bearer ${bearer}`,
      contentEncoding: encoding,
      query: new URLSearchParams(query).toString(),
    };
    if (body === undefined) return send(name, { ...head, method: "GET" }, store);
    return send(name, { ...head, method: "POST", contentLength: body.length, body }, store);
  };

  const logIn = async (email: string): Promise<void> => {
    await get("login");
    const answer = await post("login", { email, password: passwordOf(email) });
    if (answer.status !== 303) throw new Error(`${email} cannot log in: ${answer.status}`);
  };

  const become = async (email: string): Promise<AccountId> => {
    const password = passwordOf(email);
    await get("signup");
    await post("signup", { email, password });
    const mails = test.raw(`SELECT body FROM outbox WHERE recipient = ${quote(email)}`) as { body: string }[];
    const mailed = /confirm\.cgi\?token=([\w-]+)/.exec(mails.at(-1)?.body ?? "")?.[1] ?? "";
    await post("confirm", { token: mailed, password });
    await logIn(email);
    const [row] = test.raw(`SELECT id FROM account WHERE email = ${quote(email)}`) as { id: AccountId }[];
    if (row === undefined) throw new Error(`${email} has no account`);
    return row.id;
  };

  const pressAtStripe: Visitor["pressAtStripe"] = async (location, outcome) => {
    const answer = await fetch(location, {
      method: "POST",
      body: new URLSearchParams({ outcome }),
      redirect: "manual",
    });
    return new URL(answer.headers.get("location") ?? "");
  };

  const payAtStripe: Visitor["payAtStripe"] = async (location) => {
    const order = (await pressAtStripe(location, "pay")).searchParams.get("order") ?? "";
    const event = deliveries.at(-1);
    if (event === undefined) throw new Error("the stand-in sent no event");
    return { order, event };
  };

  return {
    test,
    given,
    logged,
    get,
    post,
    postRaw,
    ask,
    hand,
    cookie: () => token,
    moveTo: (address) => {
      remoteAddress = address;
    },
    setCookie: (value) => {
      token = value;
    },
    again: (change = {}) => browse(world, change.secrets ?? secrets, change),
    become,
    logIn,
    payAtStripe,
    pressAtStripe,
    standIn: world.standIn,
    secrets,
    deliveries,
    tellWebhook: (event) => postRaw("stripe-webhook", event.raw, event.signature),
    end: world.end,
  };
}

/** What `become` signs up with. */
export function passwordOf(email: string): string {
  return `the password of ${email.length}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
