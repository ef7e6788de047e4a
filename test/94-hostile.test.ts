// Goal of this test: behind the real hitch and lighttpd as a build configures them, nobody passes for another client, speaks to what is
// not for the public, or keeps pages from others by a flood, a long body, or a program that dies or never answers.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { agreeOn, sendBytes, sendPlain, sendStream, type Wire } from "./support/secure.ts";
import { eventually } from "./support/served.ts";

/** Of a program of the pool of pages. */
const patienceSeconds = 4;
/** Never answers; and never even lets go of the processor. */
const hanging = ["/account/logout.cgi", "/account/sessions.cgi"] as const;
const [silence, circle] = ["setInterval(() => {}, 1e6);", "for (;;);"] as const;

/** Two of the handlers of a program that stays, as if they had such a fault. */
function hangHandlers(folder: string): void {
  const [name = ""] = readdirSync(folder).filter((each) => each.startsWith("resident."));
  const text = readFileSync(join(folder, name), "utf8");
  const changed = text
    .replace(/,logout:[\w$]+,/, ",logout:()=>new Promise(()=>{}),")
    .replace(/,sessions:[\w$]+,/, ",sessions:()=>{for(;;);},");
  expect(changed.length - text.length).toBeGreaterThan(30);
  writeFileSync(join(folder, name), changed);
}

/** How many programs of a host are running. */
const countPrograms = ({ folder }: Host): number =>
  readdirSync("/proc").filter((id) => {
    if (!/^\d+$/.test(id)) return false;
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").includes(`${folder}/dist/current/cgi/`);
    } catch {
      return false;
    }
  }).length;

const skip = (): void => undefined;
const cookie = `Cookie: __Host-session=${"T".repeat(43)}\r\n`;

describe.skipIf(!canHost).each(["cgi", "resident"] as const)(
  "a host among strangers, its programs %s",
  (programsAre) => {
    let host: Host;
    beforeAll(async () => {
      host = await startHost(
        () => undefined,
        programsAre,
        (release) => {
          const [file, made, shorter] =
            programsAre === "cgi"
              ? ["etc/pages.conf", '"read-timeout" => 30', `"read-timeout" => ${patienceSeconds}`]
              : ["etc/systemd/site-pages.service", "pages.sock 2 30\n", `pages.sock 2 ${patienceSeconds}\n`];
          const text = readFileSync(join(release, file), "utf8");
          // What is generated is half a minute; a test has not so long.
          expect(text).toContain(made);
          writeFileSync(join(release, file), text.replace(made, shorter));
          if (programsAre === "resident") hangHandlers(join(release, "programs"));
        },
      );
    }, 60_000);
    afterAll(() => host?.end());

    const wireFrom = (from = "127.0.0.1"): Wire => ({ port: host.httpsPort, host: hostName, from });
    const request = (method: string, path: string, headers = ""): string =>
      `${method} ${path} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n${headers}\r\n`;
    const statusOf = async (path: string) => (await sendBytes(wireFrom(), request("GET", path)))?.status;
    /** Who the programs took the last stranger for. */
    const lastSeen = (): string | undefined =>
      /from (\S+)$/.exec(host.read("log/programs.log").trimEnd())?.[1];
    /** A program that writes down who asks: one for the service, without its token. */
    const telling = "/account/usage.cgi";

    it.each([
      ["nothing else", ""],
      ["one address", "X-Forwarded-For: 203.0.113.9\r\n"],
      ["a list of them", "X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\nX-Forwarded-For: 203.0.113.8\r\n"],
      ["the newer header", 'Forwarded: for=203.0.113.9;proto=https;host="evil.example"\r\n'],
      [
        "other names for it",
        "X-Real-IP: 203.0.113.9\r\nTrue-Client-IP: 203.0.113.9\r\nX-Host: evil.example\r\n",
      ],
      ["the variable itself", "REMOTE_ADDR: 203.0.113.9\r\nX-Remote-Addr: 203.0.113.9\r\n"],
    ])("takes a client for who it is that sends %s, by HTTP/1.1 and HTTP/2", async (_what, headers) => {
      const body = "Content-Length: 1\r\n";
      expect(
        (await sendBytes(wireFrom("127.0.0.77"), `${request("POST", telling, headers + body)}x`))?.status,
      ).toBe(401);
      expect(lastSeen()).toBe("127.0.0.77");
      const pairs = headers
        .split("\r\n")
        .filter((line) => line !== "")
        .map((line) => {
          const cut = line.indexOf(": ");
          return [line.slice(0, cut).toLowerCase(), line.slice(cut + 2)] as const;
        });
      const stream = { ":method": "POST", ":path": telling, ...Object.fromEntries(pairs) };
      expect((await sendStream(wireFrom("127.0.0.78"), stream, "x")).status).toBe(401);
      expect(lastSeen()).toBe("127.0.0.78");
    });

    it("refuses a client that writes the line of a proxy itself", async () => {
      const line = "PROXY TCP4 203.0.113.9 127.0.0.1 50000 443\r\n";
      expect((await sendBytes(wireFrom("127.0.0.79"), line + request("GET", "/")))?.status).toBe(400);
      expect((await sendPlain(host.httpPort, line + request("GET", "/")))?.status).toBe(400);
    });

    it("answers to its own name alone", async () => {
      const foreign = request("GET", "/account/login.cgi").replace(hostName, "evil.example");
      expect((await sendBytes(wireFrom(), foreign))?.status).toBe(421);
      for (const odd of ["a b.example", "storage.example.com:99999", "", "evil.example\tx"]) {
        const answer = await sendBytes(
          wireFrom(),
          request("GET", "/account/login.cgi").replace(hostName, odd),
        );
        expect([odd, [400, 421].includes(answer?.status ?? 0)]).toEqual([odd, true]);
      }
    });

    it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
      expect(await agreeOn(wireFrom(), "TLSv1.1")).toBeUndefined();
      expect(await agreeOn(wireFrom(), "TLSv1.2")).toBe("TLSv1.2");
      expect(await agreeOn(wireFrom(), "TLSv1.3")).toBe("TLSv1.3");
    });

    it("lets nobody else reach its sockets, its data, or its secrets", () => {
      if (!host.isSeparate) return;
      const as = (user: string, group: string, code: string, more = "--clear-groups") =>
        spawnSync("setpriv", [`--reuid=${user}`, `--regid=${group}`, more, process.execPath, "-e", code], {
          encoding: "utf8",
        }).stdout.trim();
      const open = (name: string) =>
        `require("net").connect("${host.folder}/run/${name}.sock").on("connect", function () { console.log("open"); this.destroy(); }).on("error", (e) => console.log(e.code))`;
      for (const name of ["tls", "pages", "paying", "hashing"]) {
        expect([name, as("daemon", "daemon", open(name))]).toEqual([name, "EACCES"]);
        expect([name, as("www-data", "www-data", open(name))]).toEqual([name, "open"]);
      }
      const read = (path: string) =>
        `try { require("fs").readFileSync("${join(host.folder, path)}"); console.log("read"); } catch (e) { console.log(e.code); }`;
      // The front, the programs, the jobs, the sender of mail, and anybody.
      const readers = {
        "www-data": "www-data",
        backup: "www-data",
        list: "backup",
        news: "backup",
        daemon: "daemon",
      };
      const readersOf = (path: string) =>
        Object.entries(readers)
          .filter(([user, group]) => {
            const more = user === "backup" ? "--groups=backup" : "--clear-groups";
            return as(user, group, read(path), more) === "read";
          })
          .map(([user]) => user);
      expect(readersOf("source/etc/site.yaml")).toEqual(Object.keys(readers));
      expect(readersOf("data/books.sqlite")).toEqual(["backup", "list", "news"]);
      expect(readersOf("secrets")).toEqual([]);
      expect(readersOf("keys/programs")).toEqual(["backup"]);
      expect(readersOf("keys/jobs")).toEqual(["list"]);
      expect(readersOf("keys/mail")).toEqual(["news"]);
    });

    it.each([
      ["a form that is too long for its page", "/account/login.cgi", 9000, 413, "Shorten what you typed"],
      ["a body that is too long for any page", "/account/login.cgi", 525_000, 413, ""],
    ])("answers %s with its length told, and in chunks", async (_what, path, size, status, words) => {
      const form = "Content-Type: application/x-www-form-urlencoded\r\n";
      const body = "a".repeat(size);
      // Refused by its length alone, it need not be sent: and whoever sends on may miss the answer.
      const sent = size > 524_288 ? "" : body;
      const told = await sendBytes(
        wireFrom(),
        request("POST", path, `${form}Content-Length: ${size}\r\n`) + sent,
      );
      expect([told?.status, told?.body.includes(words)]).toEqual([status, true]);
      const chunked = `${form}Transfer-Encoding: chunked\r\n`;
      const chunks = `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const cut = await sendBytes(wireFrom(), request("POST", path, chunked) + chunks);
      expect(cut?.status).toBe(status);
    });

    it("takes no more usage at once than its program does", async () => {
      const before = host.read("log/programs.log");
      const size = 10_500_000;
      const sent = request("POST", telling, `Content-Length: ${size}\r\n`) + "a".repeat(size);
      // Refused while it is still sent: then a client may see the end of the connection before the answer.
      expect([413, undefined]).toContain((await sendBytes(wireFrom(), sent).catch(() => undefined))?.status);
      expect(host.read("log/programs.log")).toBe(before);
    });

    // One that stays answers for a fault by itself (test/41-handlers).
    const [itOfCgi, itOfResident] = programsAre === "cgi" ? [it, skip] : [skip, it];
    itOfCgi("answers for a program that dies, tells nothing of it, and goes on", async () => {
      const program = join(host.folder, "dist/current/cgi/account/logout.cgi");
      const before = readFileSync(program);
      writeFileSync(program, '#!/usr/bin/env node\nthrow new Error("/secret/path");\n');
      const died = await sendBytes(wireFrom(), request("GET", "/account/logout.cgi"));
      expect([died?.status, died?.body.includes("secret")]).toEqual([500, false]);
      writeFileSync(program, before);
      expect((await sendBytes(wireFrom(), request("GET", "/account/logout.cgi", cookie)))?.status).toBe(200);
    });

    itOfCgi("ends programs that never answer, all of a pool's at once, and goes on meanwhile", async () => {
      const before = hanging.map((path) => readFileSync(join(host.folder, "dist/current/cgi", path)));
      for (const [n, code] of [silence, circle].entries())
        writeFileSync(
          join(host.folder, "dist/current/cgi", hanging[n] ?? ""),
          `#!/usr/bin/env node\n${code}\n`,
        );
      const startedAt = performance.now();
      const paths = [...Array.from({ length: 3 }, () => hanging[0]), hanging[1]];
      const given = paths.map((path) => sendBytes(wireFrom(), request("GET", path)));
      await eventually("four programs", () => (countPrograms(host) === 4 ? true : undefined));
      const waiting = sendBytes(wireFrom(), request("GET", "/account/account.cgi", cookie));
      expect(await statusOf("/docs/")).toBe(200);
      expect(await statusOf("/account/login.cgi")).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(patienceSeconds * 1000);
      expect((await Promise.all(given)).map((answer) => answer?.status)).toEqual([504, 504, 504, 504]);
      expect(performance.now() - startedAt).toBeGreaterThan(patienceSeconds * 1000);
      for (const [n, text] of before.entries())
        writeFileSync(join(host.folder, "dist/current/cgi", hanging[n] ?? ""), text);
      // What stood in line behind them is answered then.
      expect((await waiting)?.status).toBe(303);
      await eventually("the end of all programs", () => (countPrograms(host) === 0 ? true : undefined));
    });

    itOfResident("gives up on a handler that never answers, says so, and goes on meanwhile", async () => {
      const startedAt = performance.now();
      const given = sendBytes(wireFrom(), request("GET", hanging[0]));
      expect([await statusOf("/docs/"), await statusOf("/account/login.cgi")]).toEqual([200, 200]);
      expect(await statusOf("/account/account.cgi")).toBe(303);
      expect(performance.now() - startedAt).toBeLessThan(patienceSeconds * 1000);
      const late = await given;
      expect(late?.status).toBe(504);
      expect(late?.body).toContain("<h1>That took too long</h1>");
      expect(late?.headers.get("content-security-policy")).toHaveLength(1);
      expect(performance.now() - startedAt).toBeGreaterThan(patienceSeconds * 1000 - 100);
      expect(host.read("log/programs.log")).toMatch(/^logout \[[\w-]+\] no answer within 4 seconds$/m);
    });

    it("runs four programs at most under a flood, answers each in its turn, and pages at once", async () => {
      const all = 60;
      let most = 0;
      const watching = setInterval(() => {
        most = Math.max(most, countPrograms(host));
      }, 20);
      const flood = Array.from({ length: all }, (_, n) =>
        sendBytes(wireFrom(`127.0.1.${n + 1}`), request("GET", "/account/account.cgi", cookie)),
      );
      const pages: number[] = [];
      for (let n = 0; n < 20; n += 1) {
        const startedAt = performance.now();
        expect((await sendBytes(wireFrom("127.0.2.1"), request("GET", "/docs/")))?.status).toBe(200);
        pages.push(performance.now() - startedAt);
      }
      const answers = await Promise.all(flood);
      clearInterval(watching);
      expect(answers.map((answer) => answer?.status)).toEqual(Array.from({ length: all }, () => 303));
      expect(most > 0).toBe(programsAre === "cgi");
      // One that has answered takes some milliseconds to end, beside the next.
      expect(most).toBeLessThanOrEqual(6);
      // A new connection with TLS for each, on a machine that is busy with the flood and with this test.
      expect(pages.sort((a, b) => a - b)[10]).toBeLessThan(500);
    }, 60_000);

    itOfResident(
      "ends by itself where a handler runs in circles, for systemd to start it again",
      async () => {
        const given = sendBytes(wireFrom(), request("GET", hanging[1]));
        expect([await statusOf("/docs/"), await statusOf("/account/login.cgi")]).toEqual([200, 200]);
        expect([500, 502, 503, 504]).toContain((await given)?.status);
        expect(host.read("log/programs.log")).toMatch(
          /^this process did nothing else for 4 seconds: it ends$/m,
        );
        // Until it has seen that nobody is there, the front says 500.
        expect([500, 503]).toContain(await statusOf("/account/account.cgi"));
        expect([await statusOf("/docs/"), await statusOf("/account/login.cgi")]).toEqual([200, 200]);
      },
    );

    it("goes on showing pages where the programs are gone, and writes no secret into a log", async () => {
      const pid = host.pids["site-hashing"] ?? 0;
      process.kill(pid, "SIGSTOP");
      const cut = sendBytes(wireFrom(), request("GET", "/account/reset.cgi?token=SECRET"));
      const plain = sendBytes(wireFrom(), request("GET", "/account/reset.cgi"));
      await new Promise((resolve) => setTimeout(resolve, 500));
      process.kill(pid, "SIGKILL");
      expect([500, 502, 503]).toContain((await cut)?.status);
      expect([500, 502, 503]).toContain((await plain)?.status);
      await host.endPrograms();
      expect((await sendBytes(wireFrom(), request("GET", "/account/login.cgi")))?.status).toBe(503);
      await sendBytes(wireFrom(), request("GET", "/account/login.cgi?token=SECRET"));
      const logs = readdirSync(join(host.folder, "log"));
      expect(logs.filter((name) => host.read(`log/${name}`).includes("SECRET"))).toEqual([]);
      // What has no query is told as ever.
      expect(host.read("log/front.log")).toContain("/account/reset.cgi");
      expect((await sendBytes(wireFrom(), request("GET", "/docs/")))?.status).toBe(200);
    });
  },
);
