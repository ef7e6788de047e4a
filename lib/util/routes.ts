/**
 * Every program the web server runs, in one table. The web server's configuration, the development server,
 * the link checker, the guard in front of the handlers, and the tests all read this table, so that none of
 * them can disagree about what an address takes.
 */
import type { SecretName, Settings } from "./settings.ts";

/** How long a program may take for an answer, and no longer: one that hangs holds up others, who wait for its turn. */
export const answerSeconds = 30;

/**
 * Programs are run so many at once for each pool, so that what takes long in one keeps nobody waiting in another: logins hash passwords,
 * payments wait for Stripe.
 */
export const pools = ["pages", "paying", "hashing"] as const;
export type Pool = (typeof pools)[number];

/** How a request body is read: not at all, as a plain HTML form, or as raw bytes for a signature. */
export type BodyKind = "none" | "form" | "raw";

export interface FieldRule {
  readonly name: string;
  readonly maxBytes: number;
}

export interface Route {
  /** File name in cgi/ without its ending, and of the program without ".cgi". */
  readonly name: string;
  readonly path: string;
  readonly methods: readonly ("GET" | "POST")[];
  readonly body: BodyKind;
  readonly bodyLimitBytes: number;
  /** Names allowed in the query string. */
  readonly query: readonly FieldRule[];
  /** Names allowed in the form, besides form_token. */
  readonly fields: readonly FieldRule[];
  readonly secrets: readonly SecretName[];
  /** Which programs it waits in line with. Those that hash take a second and 128 MiB each; they take turns (cgi/support/run). */
  readonly pool: Pool;
  /**
   * Whether it works on the accounts: it gets their database, and the browser's cookie is read and set. A program
   * without them changes nothing, and takes GET only.
   */
  readonly hasAccounts: boolean;
  /** It takes no form, and loads nothing of Node's besides what an empty program has; then it can start quicker (build/programs.ts). */
  readonly isLight: boolean;
  /** The setting that must say yes for a site to have this program; undefined for what every site has. */
  readonly setting?: "search";
  /** How it answers, faults included: pages for people, or JSON for the service's own programs. */
  readonly speaks: "html" | "json";
  /** What its JSON says besides the error while the accounts cannot be reached. */
  readonly unavailable?: Readonly<Record<string, string | boolean>>;
  /** What it is called among the account links of every page; "" if it does not stand there. */
  readonly label: string;
  /** Who is shown that link: everybody, or only those who are, or are not, logged in. */
  readonly linkFor: "everybody" | "customers" | "visitors";
}

const email: FieldRule = { name: "email", maxBytes: 254 };
const password: FieldRule = { name: "password", maxBytes: 1024 };
const token: FieldRule = { name: "token", maxBytes: 64 };
const code: FieldRule = { name: "code", maxBytes: 40 };
/** For forms in which whoever is logged in shows the password again, and what opens a second factor's secret. */
const proof: readonly FieldRule[] = [{ ...password, name: "current" }, code];
const sealing: readonly SecretName[] = ["account_key", "account_key_old"];

function page(name: string, change: Partial<Route>): Route {
  return {
    name,
    path: `/account/${name}.cgi`,
    methods: ["GET", "POST"],
    body: "form",
    bodyLimitBytes: 8192,
    query: [],
    fields: [],
    secrets: [],
    pool: "pages",
    hasAccounts: true,
    isLight: false,
    speaks: "html",
    label: "",
    linkFor: "everybody",
    ...change,
  };
}

/** A program that is only looked at. */
const readOnly = { methods: ["GET"], body: "none", bodyLimitBytes: 0 } as const;
/** One that many ask for, or programs do. */
const light = { ...readOnly, isLight: true } as const;
/** One that asks for the password, and a code. */
const proving = { secrets: sealing, pool: "hashing" } as const;

export const routes: readonly Route[] = [
  page("signup", {
    fields: [email, password, { name: "terms", maxBytes: 40 }],
    pool: "hashing",
    label: "Sign up",
    linkFor: "visitors",
  }),
  page("confirm", { query: [token], fields: [token, password], pool: "hashing" }),
  page("login", {
    fields: [email, password, code],
    ...proving,
    label: "Log in",
    linkFor: "visitors",
  }),
  page("logout", { label: "Log out", linkFor: "customers" }),
  page("reset", { query: [token], fields: [email, password, token], pool: "hashing" }),
  page("password", { fields: [...proof, password], ...proving }),
  page("address", {
    query: [token, { ...token, name: "undo" }],
    fields: [email, ...proof, token, { ...token, name: "undo" }],
    ...proving,
  }),
  page("factor", {
    fields: [...proof, { name: "do", maxBytes: 8 }],
    ...proving,
  }),
  page("passkey", {
    query: [
      { name: "passkey", maxBytes: 20 },
      { name: "back", maxBytes: 20 },
      { name: "script", maxBytes: 1 },
    ],
    fields: [
      ...proof,
      { name: "do", maxBytes: 8 },
      { name: "name", maxBytes: 240 },
      { name: "passkey", maxBytes: 20 },
      { name: "back", maxBytes: 20 },
      // A browser's answer in JSON: its key's own id, of up to 1,023 bytes, stands in it three times.
      { name: "answer", maxBytes: 16_384 },
    ],
    bodyLimitBytes: 32_768,
    ...proving,
  }),
  page("tokens", {
    fields: [...proof, { name: "name", maxBytes: 240 }, { name: "end", maxBytes: 20 }],
    ...proving,
  }),
  page("data", {
    ...light,
    query: [
      { name: "what", maxBytes: 10 },
      { name: "format", maxBytes: 10 },
      { name: "from", maxBytes: 10 },
      { name: "to", maxBytes: 10 },
      { name: "before", maxBytes: 20 },
    ],
    speaks: "json",
  }),
  page("machines", {
    query: [{ name: "machine", maxBytes: 255 }],
    fields: [
      ...proof,
      { name: "machine", maxBytes: 255 },
      { name: "name", maxBytes: 240 },
      { name: "do", maxBytes: 8 },
    ],
    ...proving,
  }),
  page("close", {
    query: [token],
    fields: [...proof, token, { name: "money", maxBytes: 6 }, { name: "sure", maxBytes: 3 }],
    ...proving,
  }),
  page("export", readOnly),
  page("sessions", { fields: [{ name: "end", maxBytes: 16 }] }),
  page("settings", light),
  page("warnings", {
    fields: [
      { name: "days", maxBytes: 3 },
      { name: "dollars", maxBytes: 20 },
      { ...email, name: "second" },
    ],
  }),
  page("second", { query: [token], fields: [token] }),
  page("account", {
    ...light,
    query: [
      { name: "before", maxBytes: 20 },
      { name: "from", maxBytes: 10 },
      { name: "to", maxBytes: 10 },
    ],
    label: "Your account",
  }),
  page("payments", light),
  page("receipt", {
    query: [{ name: "order", maxBytes: 64 }],
    fields: [
      { name: "order", maxBytes: 64 },
      { name: "buyer", maxBytes: 2000 },
      { name: "tax_id", maxBytes: 160 },
    ],
  }),
  page("history", {
    ...light,
    query: [
      { name: "month", maxBytes: 7 },
      { name: "machine", maxBytes: 255 },
    ],
  }),
  page("pay", {
    query: [{ name: "order", maxBytes: 64 }],
    fields: [
      { name: "amount", maxBytes: 20 },
      { name: "order", maxBytes: 64 },
    ],
    secrets: ["stripe_key", "stripe_api"],
    pool: "paying",
  }),
  page("recharge", {
    query: [{ name: "card", maxBytes: 64 }],
    fields: [
      ...proof,
      { name: "do", maxBytes: 8 },
      { name: "below", maxBytes: 20 },
      { name: "amount", maxBytes: 20 },
      { name: "cap", maxBytes: 20 },
    ],
    secrets: [...sealing, "stripe_key", "stripe_api"],
    // It hashes a password too, in its turn like all others, and may wait for Stripe behind that.
    pool: "paying",
  }),
  page("stripe-webhook", {
    methods: ["POST"],
    body: "raw",
    // Stripe's events are a few kilobytes; their documentation names no bound.
    bodyLimitBytes: 262_144,
    secrets: ["stripe_key", "stripe_api", "stripe_webhook_secret", "stripe_webhook_secret_old"],
    pool: "paying",
  }),
  page("usage", {
    methods: ["POST"],
    body: "raw",
    bodyLimitBytes: 10_485_760,
    secrets: ["usage_token", "usage_token_old"],
    speaks: "json",
  }),
  page("machine", {
    body: "raw",
    query: [{ name: "account", maxBytes: 64 }],
    secrets: ["usage_token", "usage_token_old"],
    speaks: "json",
  }),
  page("standing", {
    ...light,
    query: [{ name: "account", maxBytes: 64 }],
    secrets: ["usage_token", "usage_token_old"],
    speaks: "json",
    unavailable: { state: "unknown", mayWrite: true },
  }),
  page("search", {
    path: "/search.cgi",
    ...light,
    query: [
      // More than is searched for, so that what is too long is answered on the page, beside its form.
      { name: "q", maxBytes: 1000 },
      { name: "page", maxBytes: 4 },
    ],
    hasAccounts: false,
    setting: "search",
  }),
];

/** Whether a site of these settings has the program. */
export function isOffered({ setting }: Route, settings: Pick<Settings, "search">): boolean {
  return setting === undefined || settings[setting];
}

export function findRoute(path: string): Route | undefined {
  return routes.find((route) => route.path === path);
}

/** The path of a program by its name; a misspelt name is a bug. */
export function pathOf(name: string): string {
  const route = routes.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`assertion failed: no route is named ${name}`);
  return route.path;
}
