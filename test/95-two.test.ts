// Goal of this test: two web servers, each a machine of its own with lighttpd and hitch, are one site, with the books on a third machine
// behind spiped: a customer's requests go to one and the other in turn, and where one dies the other goes on with all that was acknowledged.
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { hostName } from "./support/host.ts";
import { type Answer, sendBytes } from "./support/secure.ts";
import { eventually } from "./support/served.ts";
import { canBeTwo, startTwo, type Two, unitLine, type WebServer, webServers } from "./support/two.ts";

const patience = 60_000;
const [email, password] = ["mira@example.com", "four words are enough"];
const day = addDays(dayOf(systemClock.now()), -1);

interface Usage {
  readonly machine: string;
  readonly quantity: number | bigint;
}
const describeUsage = ({ machine, quantity }: Usage): string => `${machine} ${quantity}`;

describe.skipIf(!canBeTwo).each([
  // Who is killed says goodbye; who is cut off does not.
  { way: "spiped", poolSize: undefined, programsAre: "resident", isCut: true },
  { way: "spiped and PgBouncer's three connections", poolSize: 3, programsAre: "cgi", isCut: false },
] as const)("two web servers by way of $way", ({ poolSize, programsAre, isCut }) => {
  let two: Two;
  let alive: readonly WebServer[] = webServers;
  beforeAll(async () => {
    two = await startTwo({ poolSize, programsAre });
  }, patience);
  afterAll(() => two?.end());

  const ask = async (
    name: WebServer,
    method: string,
    path: string,
    headers = "",
    body = "",
    patienceMs = 20_000,
  ) => {
    const at = two.network.at(name, "here");
    const wire = { port: two.hosts[name].httpsPort, host: hostName, at, patienceMs };
    const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const request = `${method} ${path} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n${headers}${length}\r\n${body}`;
    return sendBytes(wire, request);
  };

  /** A browser whose next request goes to the other server, as long as there is another. */
  const visited: WebServer[] = [];
  let [cookie, shown] = ["", ""];
  const visit = async (method: string, path: string, fields: Readonly<Record<string, string>> = {}) => {
    const name = alive[visited.length % alive.length] ?? "web1";
    visited.push(name);
    const hidden = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const form = { ...Object.fromEntries(hidden.map((found) => [found[1], found[2]])), ...fields };
    const type = `Content-Type: application/x-www-form-urlencoded\r\nOrigin: https://${hostName}\r\n`;
    const body = method === "POST" ? new URLSearchParams(form).toString() : "";
    const head = `Cookie: ${cookie}\r\n${method === "POST" ? type : ""}`;
    const answer = await ask(name, method, path, head, body);
    if (answer === undefined) throw new Error(`${name} did not answer ${path}`);
    cookie = answer.headers.get("set-cookie")?.[0]?.split(";")[0] ?? cookie;
    shown = answer.body;
    return answer;
  };
  const balance = (answer: Answer) => /<p class="balance">([^<]*)</.exec(answer.body)?.[1];
  const account = () => (two.raw("SELECT id FROM account") as { id: string }[])[0]?.id ?? "";

  /** What the service hands in; whether it was told that it was kept. */
  const handIn = async (name: WebServer, usage: Usage): Promise<boolean> => {
    const row = JSON.stringify({ day, account: account(), meter: "storage", ...usage });
    const bearer = "Authorization: Bearer service-token\r\n";
    const asked = ask(name, "POST", "/account/usage.cgi", bearer, `${row}\n`, 5000);
    return (await asked.catch(() => undefined))?.status === 200;
  };
  const kept = () => (two.raw("SELECT machine, quantity FROM usage") as Usage[]).map(describeUsage).sort();

  /** How many transactions of ours are older. */
  const begunBefore = (moment: number): bigint | undefined => {
    const where = `usename = 'site' AND extract(epoch FROM xact_start) * 1000 < ${moment}`;
    return (two.raw(`SELECT count(*) AS n FROM pg_stat_activity WHERE ${where}`) as { n: bigint }[])[0]?.n;
  };

  it("are right by themselves, and answer with the same pages", async () => {
    for (const name of webServers)
      expect([two.hosts[name].complaints, two.hosts[name].isSeparate]).toEqual(["", true]);
    for (const path of ["/", "/docs/paying.html", "/account/login.cgi", "/no-such"]) {
      const [one, other] = await Promise.all(webServers.map((name) => ask(name, "GET", path)));
      const bare = (answer?: Answer) => answer?.body.replace(/value="[^"]*"/g, "");
      expect([path, one?.status, bare(one)]).toEqual([path, other?.status, bare(other)]);
    }
  });

  it("reach the books through spiped alone", () => {
    expect(two.raw("SHOW listen_addresses")).toEqual([{ listen_addresses: "" }]);
    // Who has no key is let through to nothing; who has it speaks to PostgreSQL.
    const at = two.network.at("books", "web1");
    const from = (port: number, address: string) => {
      const [program = "", ...words] = [
        ...two.network.enter("web1"),
        process.execPath,
        "-e",
        // The question whether there is TLS, which PostgreSQL and PgBouncer answer with a letter.
        `const s = require("net").connect(${port}, "${address}", () => s.write(Buffer.from([0,0,0,8,4,210,22,47])));
         let said = ""; s.on("data", (d) => { said += d.toString("latin1"); s.end(); });
         s.on("error", () => {}).on("close", () => console.log(said === "N" || said === "S"));
         setTimeout(() => s.destroy(), 1000).unref();`,
      ];
      return spawnSync(program, words, { encoding: "utf8" }).stdout;
    };
    expect([from(6432, "127.0.0.1"), from(two.port, at)]).toEqual(["true\n", "false\n"]);
  });

  it("let a stranger become a customer, each request at the other one", async () => {
    await visit("GET", "/account/signup.cgi");
    await visit("POST", "/account/signup.cgi", { email, password });
    const [mail] = two.raw("SELECT body FROM outbox") as { body: string }[];
    const link = /https:\/\/storage\.example\.com(\/account\/confirm\.cgi\?token=[\w-]+)/.exec(
      mail?.body ?? "",
    );
    await visit("GET", link?.[1] ?? "");
    await visit("POST", "/account/confirm.cgi", { password });
    await visit("GET", "/account/login.cgi");
    expect((await visit("POST", "/account/login.cgi", { email, password })).status).toBe(303);
    for (const _each of webServers) expect(balance(await visit("GET", "/account/account.cgi"))).toBe("$0.00");
    const gift = ["credit", "gift", account(), "5.00", "--reason=welcome", "--by=mira"];
    expect(two.job("web2", ...gift)).toMatchObject({ status: 0 });
    for (const _each of webServers) expect(balance(await visit("GET", "/account/account.cgi"))).toBe("$5.00");
    for (const days of ["3", "4", "5"]) {
      await visit("GET", "/account/warnings.cgi");
      expect((await visit("POST", "/account/warnings.cgi", { days, dollars: "", second: "" })).status).toBe(
        200,
      );
      expect((await visit("GET", "/account/warnings.cgi")).body).toContain(`value="${days}"`);
    }
    expect(visited.slice(0, 4)).toEqual(["web1", "web2", "web1", "web2"]);
  });

  it(
    "lose nothing where one dies while both write",
    async () => {
      const begun: Usage[] = [];
      const acknowledged: Usage[] = [];
      let isOver = false;
      const writer = async (name: WebServer, which: number): Promise<void> => {
        for (let quantity = 1; !isOver && alive.includes(name); quantity += 1) {
          const usage = { machine: `${name}-${which}-${quantity}`, quantity };
          begun.push(usage);
          if (await handIn(name, usage)) acknowledged.push(usage);
          else await wait(50);
        }
      };
      const count = (name: WebServer) =>
        acknowledged.filter(({ machine }) => machine.startsWith(name)).length;
      const writers = [1, 2, 3].flatMap((which) => webServers.map((name) => writer(name, which)));
      try {
        await eventually("writes at both", () =>
          webServers.every((name) => count(name) > 8) ? true : undefined,
        );
        // It dies in the middle of a night, too: with its lock, and something written that was not kept yet.
        const row = `'${day}', '${account()}', 'unfinished', 'storage', 1, 0`;
        await two.hold(
          "web1",
          `INSERT INTO usage (day, account, machine, meter, quantity, received_at) VALUES (${row})`,
        );
        expect(two.job("web2", "bill").status).toBe(111);
        const [used] = two.raw("SELECT count(*) AS n FROM pg_stat_activity WHERE usename = 'site'");
        expect(Number((used as { n: bigint }).n)).toBeLessThanOrEqual(poolSize ?? 100);
        if (isCut) two.network.unplug("web1");
        two.network.kill("web1");
        alive = ["web2"];
        const died = systemClock.now();
        const before = count("web2");
        await eventually("writes at the other", () => (count("web2") > before + 8 ? true : undefined));
        await eventually("the night's lock", () => (two.job("web2", "bill").status === 0 ? true : undefined));
        await eventually("an end of what it had begun", () => (begunBefore(died) === 0n ? true : undefined));
      } finally {
        isOver = true;
        await Promise.all(writers);
      }
      const there = kept();
      expect(acknowledged.map(describeUsage).filter((row) => !there.includes(row))).toEqual([]);
      // The service sends again what it was not told of: nothing is missing then, nothing there twice, and nothing else.
      for (const usage of begun)
        if (!acknowledged.includes(usage)) expect(await handIn("web2", usage)).toBe(true);
      expect(kept()).toEqual(begun.map(describeUsage).sort());
    },
    patience,
  );

  it(
    "go on with the customer's journey at the one that is left",
    async () => {
      expect(await ask("web1", "GET", "/").catch(() => undefined)).toBeUndefined();
      expect(balance(await visit("GET", "/account/account.cgi"))).toBe("$5.00");
      expect((await visit("GET", "/account/warnings.cgi")).body).toContain('value="5"');
      await visit("POST", "/account/warnings.cgi", { days: "6", dollars: "", second: "" });
      expect((await visit("GET", "/account/warnings.cgi")).body).toContain('value="6"');
      expect((await visit("GET", "/account/logout.cgi")).status).toBe(200);
      expect((await visit("POST", "/account/logout.cgi")).status).toBe(303);
      expect((await visit("GET", "/account/account.cgi")).status).toBe(303);
      const verified = two.job("web2", "ledger", "verify");
      expect(verified).toEqual({ status: 0, said: expect.stringContaining("all is right") });
    },
    patience,
  );

  it("refuse a key that is none, which spiped itself would take", () => {
    const line = unitLine("ExecStartPre=/bin/sh -c 'test", { "/etc/books.key": two.keyFile }).replaceAll(
      "%%",
      "%",
    );
    const check = () => spawnSync("sh", ["-c", line]).status;
    expect(check()).toBe(0);
    chmodSync(two.keyFile, 0o644);
    expect(check()).toBe(1);
    writeFileSync(two.keyFile, "");
    chmodSync(two.keyFile, 0o600);
    expect(check()).toBe(1);
  });
});
