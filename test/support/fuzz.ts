/**
 * Requests as no browser sends them: for each program a right one is made from the route table, then broken in a few places, or all of
 * it is noise. The same seed gives the same requests.
 */
import { formTokenOf } from "../../cgi/support/visit.ts";
import { type Route, routes } from "../../lib/util/routes.ts";

export interface OddRequest {
  readonly route: Route;
  /** What a web server would hand to the program. */
  readonly environment: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether a program may write for it: a form with its own token, untouched, or the service's own right to. */
  readonly mayWrite: boolean;
}

export interface OddWorld {
  readonly host: string;
  readonly url: string;
  readonly cookieName: string;
  /** Of a browser that is logged in. */
  readonly session: string;
  readonly bearers: readonly string[];
  /** What a person would type, by the field's name. */
  readonly right: Readonly<Record<string, readonly string[]>>;
}

/** A generator of numbers from 0 up to 1 (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Words that have broken programs before: markup, SQL, templates, paths, formulas, headers, prototypes, odd numbers. */
const oddWords: readonly string[] = [
  "",
  " ",
  "0",
  "-1",
  "1e309",
  "NaN",
  "9007199254740993",
  "340282366920938463463374607431768211456",
  "10.00",
  "yes",
  "others",
  "begin",
  "off",
  "retire",
  "refund",
  "2026-11-01",
  "2026-13-45",
  "9999-12-31",
  "-000001-01-01",
  "ada@example.org",
  "a@b.example\r\nBcc: c@d.example",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' OR 1=1 --",
  "'; DROP TABLE account; --",
  "{{constructor}}",
  "__proto__",
  "constructor",
  "=cmd()|'/C calc'!A1",
  "+1",
  "@SUM(A1)",
  "../../etc/passwd",
  "//evil.example/",
  "\\\\evil.example",
  "https://evil.example/",
  "%00",
  "\0",
  "\u202egnp.exe",
  "\ud800",
  "é".repeat(300),
  "x".repeat(1025),
  "x".repeat(9000),
  "a".repeat(43),
  "acct_aaaaaaaaaaaaaaaa",
  "order_aaaaaaaaaaaaaaaa",
  "mach_aaaaaaaaaaaaaaaa",
  "pd_".padEnd(46, "a"),
];
const methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "get", "", "GET /x", "BREW"];
const types = [
  "application/x-www-form-urlencoded",
  "application/x-www-form-urlencoded; charset=utf-8",
  "application/x-www-form-urlencoded; charset=latin1",
  "multipart/form-data; boundary=x",
  "application/json",
  "text/csv",
  "",
  "\r\nX: y",
];

export function makeOdd(random: () => number, world: OddWorld): OddRequest {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const chance = (share: number): boolean => random() < share;
  const route = pick(routes);
  const cookie = chance(0.8) ? world.session : pick(["", "a".repeat(43), "x", `${world.session}; session=b`]);
  const isPost = route.methods.includes("POST") && chance(0.8);
  const odd = (): string => (chance(0.9) ? pick(oddWords) : noise(random, 40).toString("latin1"));
  // A form that is right but for one field comes further than one that is all wrong.
  const isMostlyRight = chance(0.6);
  const value = (name: string): string => {
    const right = world.right[name];
    return right !== undefined && isMostlyRight && chance(0.9) ? pick(right) : odd();
  };
  const encode = (text: string): string => (chance(0.9) ? encodeURIComponent(toWellFormed(text)) : text);
  const fields = route.fields
    .filter(({ name }) => chance(isMostlyRight ? (name in world.right ? 0.97 : 0.2) : 0.7))
    .map(({ name }) => `${name}=${encode(value(name))}`);
  const rightToken = `form_token=${formTokenOf(cookie)}`;
  const token = chance(0.7)
    ? rightToken
    : pick(["", "form_token=", `form_token=${"0".repeat(64)}`, `${rightToken}0`]);
  const extra = chance(0.1)
    ? [pick(["__proto__=1", "x", "=", "&&", "%", "%ff=1", token, "email=a&email=b"])]
    : [];
  const form = [token, ...fields, ...extra].filter((part) => part !== "").join("&");
  const query = route.query.filter(() => chance(0.7)).map(({ name }) => `${name}=${encode(value(name))}`);
  if (chance(0.1)) query.push(pick(["__proto__=1", "a=b", "%", "=", "%ff", "x".repeat(9000)]));
  const body = isPost
    ? route.body === "form" && chance(0.95)
      ? Buffer.from(form)
      : pickBody(random)
    : Buffer.alloc(0);
  const length = chance(0.95)
    ? String(body.length)
    : pick(["", "-1", "0", "1", "99999999999", "1e3", "abc", String(body.length + 1)]);
  const bearer = chance(0.5) ? "" : pick([...world.bearers, "x", "", "\r\n"]);
  const environment: Record<string, string> = {
    REQUEST_METHOD: chance(0.95) ? (isPost ? "POST" : "GET") : pick(methods),
    SCRIPT_NAME: route.path,
    QUERY_STRING: chance(0.97) ? query.join("&") : noise(random, 200).toString("latin1"),
    HTTP_HOST: chance(0.97) ? world.host : pick(["evil.example", "", `${world.host}:81`, "a\r\nb"]),
    HTTP_COOKIE: cookie === "" ? "" : `${world.cookieName}=${cookie}`,
    CONTENT_TYPE: chance(0.95) ? (types[0] ?? "") : pick(types),
    CONTENT_LENGTH: length,
    REMOTE_ADDR: pick(["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.9", "", "x", "::", "1::2::3"]),
    HTTP_ORIGIN: chance(0.9)
      ? pick([world.url, ""])
      : pick(["null", "https://evil.example", `${world.url}.evil.example`]),
    HTTP_SEC_FETCH_SITE: chance(0.9) ? pick(["same-origin", ""]) : pick(["cross-site", "same-site", "none"]),
    HTTP_AUTHORIZATION: bearer === "" ? "" : `${pick(["Bearer", "bearer", "Basic"])} ${bearer}`,
    HTTP_CONTENT_ENCODING: chance(0.9) ? "" : pick(["gzip", "br", "identity", "\0"]),
    HTTP_STRIPE_SIGNATURE: chance(0.5)
      ? ""
      : pick(["t=1,v1=x", "t=NaN", `t=${"9".repeat(30)},v1=${"0".repeat(64)}`]),
    HTTP_USER_AGENT: odd(),
  };
  const isService = route.speaks === "json" && world.bearers.includes(bearer);
  return { route, environment, body, mayWrite: (isPost && form.includes(rightToken)) || isService };
}

/** Bodies for programs that read none of ours: JSON, rows of usage, noise. */
function pickBody(random: () => number): Buffer {
  const bodies = [
    "{}",
    '{"token":"x"}',
    '{"__proto__":{"x":1}}',
    "[".repeat(5000),
    "day,account,machine,meter,quantity\n2026-11-21,acct_aaaaaaaaaaaaaaaa,=x,storage,1\n",
    "day,account,machine,meter,quantity\n2026-11-21,a,b,c,99999999999999999999999999999999999999999\n",
    '{"complete":"2026-02-30"}\n',
    '{"id":"evt_1","object":"event","type":"x","data":{"object":null}}',
  ];
  const choice = Math.floor(random() * (bodies.length + 2));
  return choice < bodies.length ? Buffer.from(bodies[choice] ?? "") : noise(random, 300);
}

function noise(random: () => number, most: number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(random() * most) }, () => Math.floor(random() * 256)));
}

/** Half of a pair of surrogates cannot be encoded. */
function toWellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
