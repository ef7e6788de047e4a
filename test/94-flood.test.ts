// Goal of this test: a flood of logins at programs that stay is over when it is over: some are looked at, the others are told to come
// back, and whoever comes next, from somewhere else, is answered.
import { request } from "node:http";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formTokenOf } from "../cgi/support/visit.ts";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { sendBytes } from "./support/secure.ts";

const token = "T".repeat(43);
const form = (n: number): string =>
  new URLSearchParams({
    form_token: formTokenOf(token),
    email: `${n}@example.org`,
    password: "four words are enough",
  }).toString();

describe.skipIf(!canHost)("a flood of logins at programs that stay", () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(() => undefined, "resident");
  }, 60_000);
  afterAll(() => host?.end());

  const logIn = async (n: number, from: string): Promise<number | undefined> => {
    const body = form(n);
    const head = `POST /account/login.cgi HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\nCookie: __Host-session=${token}\r\n`;
    const type = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`;
    const wire = { port: host.httpsPort, host: hostName, from, patienceMs: 40_000 };
    return (await sendBytes(wire, head + type + body))?.status;
  };
  /** How long a login takes that has its turn at once. */
  const turnMs = async (n: number): Promise<number> => {
    const startedAt = performance.now();
    expect(await logIn(n, "127.0.2.1")).toBe(422);
    return performance.now() - startedAt;
  };

  it("is told to come back where it is too much, and leaves nothing behind", async () => {
    await turnMs(1);
    const given = await Promise.all(Array.from({ length: 150 }, (_, n) => logIn(n, `127.0.1.${n + 1}`)));
    expect(new Set(given)).toEqual(new Set([422, 503]));
    expect(given.filter((status) => status === 422).length).toBeGreaterThanOrEqual(40);
    expect(await turnMs(1)).toBeLessThan(5000);
  }, 90_000);

  it("is not hashed for clients that are gone", async () => {
    const ask = (n: number): Promise<void> =>
      new Promise((resolve) => {
        const headers = {
          Host: hostName,
          Cookie: `__Host-session=${token}`,
          "Content-Type": "application/x-www-form-urlencoded",
          "X-Forwarded-For": `127.0.3.${n}`,
        };
        const socketPath = join(host.folder, "run/hashing.sock");
        const sent = request({ socketPath, method: "POST", path: "/account/login.cgi", headers });
        sent.on("close", () => resolve()).on("error", () => resolve());
        sent.end(form(n), () => setTimeout(() => sent.destroy(), 300));
      });
    await Promise.all(Array.from({ length: 40 }, (_, n) => ask(n)));
    // Two were begun; forty would take five times as long.
    expect(await turnMs(1)).toBeLessThan(3000);
    const log = host.read("log/programs.log");
    expect(log.match(/TryLater: nobody waits for the answer any more/g)?.length).toBeGreaterThan(20);
  }, 60_000);
});
