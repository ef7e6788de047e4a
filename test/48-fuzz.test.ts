// Goal of this test: whatever is sent to the programs, no answer is a failure of ours or tells how we are made, no header or line of
// the log is somebody else's, and nothing is written but for a form with its own token. `RUNS` and `SEED` choose how many and which.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cookieName } from "../cgi/support/visit.ts";
import { makeSearchIndex } from "../lib/search/index.ts";
import { routes } from "../lib/util/routes.ts";
import { makeOdd, makeRandom, type OddRequest, type OddWorld } from "./support/fuzz.ts";
import { writeBooks } from "./support/harm.ts";
import { type Bench, openBench } from "./support/killing.ts";
import { testUrl } from "./support/site.ts";
import { isServer } from "./support/store.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const runs = Number(process.env.RUNS ?? (isServer ? 2000 : 10_000));
const seed = Number(process.env.SEED ?? 1);
const serviceToken = "service-token";
const address = "ada@example.org";
const right = {
  email: ["new@example.org", address, "bob@example.com"],
  password: [passwordOf(address), "quite another password"],
  current: [passwordOf(address)],
  name: ["laptop"],
  days: ["7", ""],
  dollars: [""],
  second: ["office@example.org"],
  sure: ["yes"],
  money: ["leave"],
  do: [
    "begin",
    "confirm",
    "codes",
    "off",
    "retire",
    "rename",
    "new",
    "add",
    "login",
    "in",
    "show",
    "shown",
    "remove",
  ],
  back: ["tokens", "https://evil.example"],
  answer: ["", "{}", '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{}}'],
  end: ["others"],
  amount: ["10"],
};

/** What is wrong with an answer, in words. */
function judge({
  status,
  headers,
  body,
}: {
  status: number;
  headers: string;
  body: string;
}): readonly string[] {
  return [
    ...(status >= 500 ? [`status ${status}`] : []),
    ...(status < 200 ? [`no status: ${status}`] : []),
    ...(/\n\s+at .+:\d+:\d+|assertion failed|SqliteError|node:internal|\bTypeError\b/.test(body)
      ? ["tells how it is made"]
      : []),
    ...(/^(?:X: y|Bcc:)/im.test(headers) ? ["has a header that was sent to it"] : []),
    // JSON is no page: its type is told, and no browser guesses another (nosniff).
    ...(/^content-type: text\/html/im.test(headers) && /<script>alert|<img src=x/.test(body)
      ? ["has markup that was sent to it"]
      : []),
    ...(/^location: *(?:\/\/|\\|https?:\/\/evil)/im.test(headers) ? ["leads elsewhere"] : []),
  ];
}

describe("in one process", () => {
  let visitor: Visitor;
  let world: OddWorld;
  let version: () => string;
  let end: () => void;
  beforeAll(async () => {
    visitor = await makeVisitor();
    await visitor.become(address);
    makeSearchIndex({ file: join(visitor.test.folder, "pages.sqlite") }, []);
    world = {
      host: new URL(testUrl).host,
      url: testUrl,
      cookieName: cookieName(testUrl),
      session: visitor.cookie(),
      bearers: [serviceToken],
      right,
    };
    ({ version, end } = visitor.test.watch());
  });
  afterAll(async () => {
    end();
    await visitor.end();
  });

  async function send(
    { route, environment, body, mayWrite }: OddRequest,
    wrap?: Parameters<Visitor["hand"]>[3],
  ) {
    const [before, lines] = [version(), visitor.logged.length];
    const answer = await visitor.hand(route.name, environment, body, wrap);
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
    return [
      ...judge({ ...answer, headers: headers.join("\n") }),
      ...(headers.some((line) => /[\r\n]/.test(line)) ? ["has a header of several lines"] : []),
      ...(visitor.logged.slice(lines).some((line) => /\p{Cc}/u.test(line))
        ? ["has a line of the log that is several"]
        : []),
      ...(!mayWrite && version() !== before ? ["wrote, and had no right to"] : []),
    ];
  }

  it(`${runs} odd requests do no harm (SEED=${seed})`, async () => {
    const random = makeRandom(seed);
    const [{ hash }] = visitor.test.raw("SELECT password_hash AS hash FROM account") as [{ hash: string }];
    const wrote = new Set<string>();
    // The runs come to where something is written at all, and to every program: by some seeds not before more of them.
    const writers = "signup login warnings address factor passkey tokens machines close".split(" ");
    const isEnough = (run: number) =>
      run >= (runs < 10_000 || writers.every((name) => wrote.has(name)) ? runs : 5 * runs);
    for (let run = 0; !isEnough(run); run += 1) {
      // Nobody stays logged out, or in a wait, for the rest of the runs.
      if (run % 250 === 0) {
        await visitor.test.store.write((tx) => tx.run("DELETE FROM attempt"));
        await visitor.test.store.write((tx) => tx.run("DELETE FROM closing"));
        await visitor.test.store.write((tx) => tx.run("DELETE FROM access_token"));
        await visitor.test.store.write((tx) =>
          tx.run("UPDATE account SET password_hash = ? WHERE email = ?", [hash, address]),
        );
        await visitor.logIn(address);
        world = { ...world, session: visitor.cookie() };
      }
      const odd = makeOdd(random, world);
      const before = version();
      const wrong = await send(odd);
      if (version() !== before) wrote.add(odd.route.name);
      expect(
        wrong,
        `run ${run}, ${odd.route.name}: ${JSON.stringify({ ...odd.environment, body: Buffer.from(odd.body).toString() })}`,
      ).toEqual([]);
    }
    if (runs >= 10_000) expect([...wrote]).toEqual(expect.arrayContaining(writers));
  }, 180_000);

  it("finds a program that writes without a form, that fails, and that repeats what it was sent", async () => {
    const random = makeRandom(7);
    const finds = async (wanted: string, wrap: Parameters<Visitor["hand"]>[3]): Promise<void> => {
      const found = new Set<string>();
      for (let run = 0; run < 2000 && !found.has(wanted); run += 1)
        for (const wrong of await send(makeOdd(random, world), wrap)) found.add(wrong);
      expect(found).toContain(wanted);
    };
    await finds("wrote, and had no right to", (own) => async (visit) => {
      await visitor.test.store.write((tx) => tx.run("UPDATE account SET created_at = created_at + 1"));
      return own(visit);
    });
    await finds("status 500", () => () => Promise.reject(new Error("x")));
    await finds("has markup that was sent to it", () => async (visit) => ({
      status: 200,
      headers: [["Content-Type", "text/html"]],
      body: [...visit.form.values()].join(),
    }));
  });

  it("a GET or a HEAD changes nothing, whatever it asks for", async () => {
    const before = version();
    for (const route of routes)
      for (const method of ["GET", "HEAD"])
        for (const { name } of [...route.query, { name: "" }]) {
          const environment = {
            REQUEST_METHOD: method,
            SCRIPT_NAME: route.path,
            QUERY_STRING: name === "" ? "" : `${name}=x`,
            HTTP_HOST: world.host,
            HTTP_COOKIE: `${world.cookieName}=${world.session}`,
            HTTP_AUTHORIZATION:
              route.speaks === "json" && route.name !== "data" ? `Bearer ${serviceToken}` : "",
            REMOTE_ADDR: "192.0.2.1",
          };
          const answer = await visitor.hand(route.name, environment, new Uint8Array());
          expect([route.name, answer.status < 500]).toEqual([route.name, true]);
          if (!route.methods.includes("GET")) expect(answer.status).toBe(405);
        }
    expect(version()).toBe(before);
  });
});

describe.skipIf(isServer)("as processes", () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = openBench();
    await writeBooks(bench.books);
    bench.keepSecrets({
      usage_token: serviceToken,
      account_key: "ab".repeat(32),
      stripe_key: "sk_test_standin_x",
      stripe_api: "http://127.0.0.1:1",
      stripe_webhook_secret: "whsec_x",
    });
    bench.reset();
  }, 60_000);
  afterAll(() => bench.end());

  it("the programs of a built site do no harm either", async () => {
    const random = makeRandom(seed + 1);
    const session = "S".repeat(43);
    const host = "storage.example.com";
    const world = {
      host,
      url: `https://${host}`,
      cookieName: "__Host-session",
      session,
      bearers: [serviceToken],
      right,
    };
    const count = Math.max(60, Math.floor(runs / 100));
    for (let run = 0; run < count; run += 1) {
      const { route, environment, body } = makeOdd(random, world);
      // An operating system's environment holds no zero bytes.
      const clean = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, value.replaceAll("\0", "?")]),
      );
      const ran = await bench.run({
        path: `cgi${route.path}`,
        environment: clean,
        input: Buffer.from(body).toString("latin1"),
      });
      const [headers = "", ...rest] = ran.out.split("\r\n\r\n");
      const status = Number(/^Status: (\d+)/m.exec(headers)?.[1] ?? 0);
      expect(
        [ran.code, judge({ status, headers, body: rest.join("") })],
        `run ${run}, ${JSON.stringify(clean)}: ${ran.out.slice(0, 300)}`,
      ).toEqual([0, []]);
    }
  }, 180_000);
});
