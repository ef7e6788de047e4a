// Goal of this test: what stands before every handler lets nothing through that is not a request for its route,
// in the documented order, and every answer carries the headers that it must.
import { describe, expect, it } from "vitest";
import { keepKnown, parseFields } from "../cgi/support/form.ts";
import { guardRequest, refusalPages } from "../cgi/support/guard.ts";
import { type Request, readRequest } from "../cgi/support/request.ts";
import { formatCgi, securityHeaders } from "../cgi/support/response.ts";
import { formTokenOf, sessionCookie } from "../cgi/support/visit.ts";
import { type Route, routes } from "../lib/util/routes.ts";

const url = "https://picodollar.example";
const cookieToken = "A".repeat(43);

function routeOf(name: string): Route {
  const route = routes.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
}

function get(change: Partial<Request> = {}): Request {
  const environment = {
    REQUEST_METHOD: "GET",
    SCRIPT_NAME: "/account/login.cgi",
    HTTP_HOST: "picodollar.example",
  };
  return { ...readRequest(environment), ...change };
}

function post(body: string | Uint8Array, change: Partial<Request> = {}): Request {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return get({
    method: "POST",
    contentType: "application/x-www-form-urlencoded",
    contentLength: bytes.length,
    cookie: `__Host-session=${cookieToken}`,
    body: bytes,
    ...change,
  });
}

const token = `form_token=${formTokenOf(cookieToken)}`;
const good = `email=ada%40example.org&password=x+y&${token}`;
const guard = (request: Request, name = "login") => guardRequest(routeOf(name), request, url);

describe("the guard", () => {
  it("lets a page through, with a fresh token for a browser that has none", () => {
    const guarded = guard(get());
    expect(guarded).toMatchObject({
      ok: true,
      cookie: { fresh: true, token: expect.stringMatching(/^[\w-]{43}$/) },
    });
  });

  it("lets a form through, with its fields decoded and its cookie known", () => {
    const guarded = guard(post(good));
    expect(guarded).toMatchObject({ ok: true, cookie: { fresh: false, token: cookieToken } });
    expect(guarded.ok && guarded.form.get("email")).toBe("ada@example.org");
    expect(guarded.ok && guarded.form.get("password")).toBe("x y");
  });

  it("lets a form through that a browser says is our own", () => {
    expect(guard(post(good, { origin: url, fetchSite: "same-origin" }))).toMatchObject({ ok: true });
  });

  const latin1 = Buffer.concat([Buffer.from(`${token}&email=`), Buffer.from([0xe4])]);
  it.each([
    ["wrong-host", get({ host: "evil.example" })],
    ["wrong-host", get({ host: "" })],
    ["wrong-host", get({ host: "picodollar.example:444" })],
    ["wrong-method", get({ method: "PUT" })],
    ["wrong-method", get({ method: "DELETE" })],
    ["wrong-method", get({ method: "get" })],
    ["no-length", post(good, { contentLength: undefined })],
    ["body-too-long", post(good, { contentLength: 8193 })],
    ["wrong-type", post(good, { contentType: "application/json" })],
    ["wrong-type", post(good, { contentType: "" })],
    ["wrong-type", post(good, { contentType: "multipart/form-data; boundary=x" })],
    ["wrong-type", post(good, { contentType: "application/x-www-form-urlencoded; charset=iso-8859-1" })],
    ["body-cut", post(good, { contentLength: good.length + 1 })],
    ["bad-encoding", get({ query: "%ff" })],
    ["bad-encoding", post(`${token}&email=%c3%28`)],
    ["bad-encoding", post(`${token}&email=%zz`)],
    ["bad-encoding", post(`${token}&email=a%00b`)],
    ["bad-encoding", post(latin1)],
    ["unknown-field", get({ query: "next=//evil.example" })],
    ["unknown-field", post(`${good}&admin=1`)],
    ["unknown-field", post(`${good}&__proto__=1`)],
    ["unknown-field", post(`${good}&constructor=1`)],
    ["repeated-field", post(`${good}&email=eve%40example.org`)],
    ["field-too-long", post(`${token}&email=${"a".repeat(255)}`)],
    ["foreign-origin", post(good, { origin: "https://evil.example" })],
    ["foreign-origin", post(good, { origin: "null" })],
    ["foreign-origin", post(good, { origin: "http://picodollar.example" })],
    ["foreign-origin", post(good, { fetchSite: "cross-site" })],
    ["foreign-origin", post(good, { fetchSite: "same-site" })],
    ["wrong-form-token", post("email=a&password=b")],
    ["wrong-form-token", post("")],
    ["wrong-form-token", post(`${good.slice(0, -1)}x`)],
    ["wrong-form-token", post(good, { cookie: "" })],
    ["wrong-form-token", post(good, { cookie: `__Host-session=${"B".repeat(43)}` })],
    ["wrong-form-token", post(good, { cookie: `session=${cookieToken}` })],
    [
      "wrong-form-token",
      post(good, { cookie: `__Host-session=${cookieToken}; __Host-session=${cookieToken}` }),
    ],
  ] as const)("refuses as %s", (why, request) => {
    const refused = guard(request);
    expect(refused).toMatchObject({ ok: false, why });
    expect(refusalPages[why][0]).toBeGreaterThanOrEqual(400);
    expect(refusalPages[why][0]).toBeLessThan(500);
  });

  it("answers the first of several faults, in the documented order", () => {
    const faults = {
      host: "evil.example",
      contentLength: undefined,
      contentType: "text/plain",
      origin: "null",
    };
    expect(guard(post("x=1", faults))).toMatchObject({ why: "wrong-host" });
    expect(guard(post("x=1", { ...faults, host: "picodollar.example" }))).toMatchObject({ why: "no-length" });
    expect(guard(post("x=1", { origin: "null" }))).toMatchObject({ why: "unknown-field" });
  });

  it("asks no form token of a webhook, whose signature is its proof", () => {
    const event = post("{}", {
      contentType: "application/json",
      cookie: "",
      path: "/account/stripe-webhook.cgi",
    });
    expect(guard(event, "stripe-webhook")).toMatchObject({ ok: true });
    expect(guard(get(), "stripe-webhook")).toMatchObject({ ok: false, why: "wrong-method" });
  });
});

describe("a program without accounts", () => {
  const without = routes.filter((route) => !route.hasAccounts);

  it("neither reads the browser's cookie nor makes one", () => {
    expect(without.map(({ name }) => name)).toEqual(["search"]);
    const cookie = `__Host-session=${cookieToken}`;
    for (const request of [get(), get({ cookie, query: "q=a" })])
      expect(guard(request, "search")).toMatchObject({ ok: true, cookie: { token: "", fresh: false } });
  });

  it("changes nothing: it takes no form, whose token anybody could work out, and knows no secret", () => {
    for (const { methods, body, fields, secrets } of without)
      expect({ methods, body, fields, secrets }).toEqual({
        methods: ["GET"],
        body: "none",
        fields: [],
        secrets: [],
      });
  });
});

describe("the client's address", () => {
  it("is REMOTE_ADDR, whatever the client writes", () => {
    const request = readRequest({
      REMOTE_ADDR: "192.0.2.7",
      HTTP_X_FORWARDED_FOR: "10.0.0.1",
      HTTP_FORWARDED: "for=10.0.0.1",
    });
    expect(request.remoteAddress).toBe("192.0.2.7");
    expect(JSON.stringify(request)).not.toContain("10.0.0.1");
  });
});

describe("fields", () => {
  it("take an empty value and a missing equals sign alike", () => {
    const rules = [
      { name: "a", maxBytes: 5 },
      { name: "b", maxBytes: 5 },
    ];
    const parsed = parseFields("a&b=", rules);
    expect(parsed.ok && [...parsed.fields]).toEqual([
      ["a", ""],
      ["b", ""],
    ]);
  });

  it("of a refused query are kept once where they are right by themselves", () => {
    const rules = [
      { name: "token", maxBytes: 5 },
      { name: "q", maxBytes: 5 },
    ];
    for (const [text, kept] of [
      ["token=abc&utm_source=x", "?token=abc"],
      ["%ff=1&q=%22%26&token=a&token=b&&x", "?q=%22%26&token=a"],
      ["token=toolong&%", ""],
      ["", ""],
    ] as const)
      expect(keepKnown(text, rules)).toBe(kept);
  });

  it("count their length in bytes, not characters", () => {
    expect(parseFields("a=%C3%A4%C3%A4", [{ name: "a", maxBytes: 3 }])).toMatchObject({
      why: "field-too-long",
    });
  });
});

describe("responses", () => {
  it("are written with status, headers, and length in bytes", () => {
    const written = formatCgi({ status: 200, headers: [["X-A", "b"]], body: "ä" }, "GET");
    expect(Buffer.from(written).toString()).toBe("Status: 200\r\nX-A: b\r\nContent-Length: 2\r\n\r\nä");
    const told = formatCgi({ status: 200, headers: [["X-A", "b"]], body: "ä" }, "HEAD");
    expect(Buffer.from(told).toString()).toBe("Status: 200\r\nX-A: b\r\nContent-Length: 2\r\n\r\n");
  });

  it("cannot be split by a header", () => {
    expect(() =>
      formatCgi({ status: 303, headers: [["Location", "/x\r\nSet-Cookie: a=b"]], body: "" }, "GET"),
    ).toThrow();
  });

  it("carry a strict policy, no-store, and HSTS under https only", () => {
    const headers = new Map(securityHeaders({ url, formTarget: "https://checkout.stripe.com" }));
    expect(headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://checkout.stripe.com; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Strict-Transport-Security")).toMatch(/max-age=31536000/);
    expect(new Map(securityHeaders({ url: "http://127.0.0.1:8080" })).has("Strict-Transport-Security")).toBe(
      false,
    );
  });

  it("set the cookie with the prefix under https, and without it on loopback", () => {
    expect(sessionCookie(url, "t")).toEqual([
      "Set-Cookie",
      "__Host-session=t; Path=/; HttpOnly; SameSite=Lax; Secure",
    ]);
    expect(sessionCookie("http://127.0.0.1:8080", "t")).toEqual([
      "Set-Cookie",
      "session=t; Path=/; HttpOnly; SameSite=Lax",
    ]);
  });
});
