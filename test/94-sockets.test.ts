// Goal of this test: programs that stay, whose socket somebody else holds as systemd does, are restarted again and again, and whoever asks
// meanwhile waits and is answered.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildSite } from "../build/build.ts";
import { initSite } from "../build/init.ts";
import { migrateStore } from "../lib/store/migrate.ts";
import { systemClock } from "../lib/util/clock.ts";
import { eventually } from "./support/served.ts";

/** Holds a socket, and starts a program with it as sd_listen_fds(3) has it; USR1 restarts the program, TERM ends both. */
const holder = `use IO::Socket::UNIX; use POSIX ();
my ($path, @program) = @ARGV; my ($child, $over);
my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 256) or die "$path: $!";
$SIG{USR1} = sub { kill "TERM", $child }; $SIG{TERM} = sub { $over = 1; kill "TERM", $child };
until ($over) {
  if (!($child = fork)) {
    POSIX::dup2(fileno $socket, 3); $^F = 3; open my $kept, "<&=", 3; fcntl $kept, 2, 0;
    @ENV{"LISTEN_FDS", "LISTEN_PID"} = (1, $$); exec @program;
  }
  1 until waitpid($child, 0) == $child;
}`;

describe.skipIf(spawnSync("perl", ["-e", "1"]).status !== 0)("a socket that systemd holds", () => {
  let folder: string;
  let held: ChildProcess;
  const at = (path: string) => join(folder, path);
  const ask = (): Promise<number> =>
    new Promise((resolve) => {
      const headers = { host: "storage.example.com", "x-forwarded-for": "127.0.0.1" };
      get({ socketPath: at("pages.sock"), path: "/account/login.cgi", headers, agent: false }, (answer) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
      }).once("error", () => resolve(0));
    });

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-sockets-")));
    initSite(at("source"));
    writeFileSync(at("source/etc/cluster.yaml"), "programs: resident\n");
    const built = await buildSite({ sourceFolder: at("source"), outFolder: at("dist"), clock: systemClock });
    expect(built.ok).toBe(true);
    mkdirSync(at("data"));
    migrateStore({ file: at("data/books.sqlite"), clock: systemClock });
    const program = [process.execPath, at("dist/current/servers/programs"), at("pages.sock")];
    held = spawn("perl", ["-e", holder, at("pages.sock"), ...program], {
      stdio: "ignore",
      env: { PATH: "/usr/bin:/bin", SITE_DATA: at("data") },
    });
    await eventually("the socket", () => existsSync(at("pages.sock")) || undefined);
    expect(await ask()).toBe(200);
  }, 30_000);
  afterAll(() => {
    held?.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  /** A visitor's sign-up: the form, and what is answered to it. */
  const signUp = async (password: string) => {
    const send = (method: string, headers: object, body: string) =>
      new Promise<{ status: number; cookie: string; page: string }>((resolve, reject) => {
        const own = { host: "storage.example.com", "x-forwarded-for": "127.0.0.1", ...headers };
        const path = "/account/signup.cgi";
        const sent = request(
          { socketPath: at("pages.sock"), path, method, headers: own, agent: false },
          (answer) => {
            let page = "";
            answer.setEncoding("utf8").on("data", (text: string) => {
              page += text;
            });
            const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
            answer.once("end", () => resolve({ status: answer.statusCode ?? 0, cookie, page }));
          },
        );
        sent.once("error", reject).end(body);
      });
    const shown = await send("GET", {}, "");
    const hidden = [...shown.page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
    const body = new URLSearchParams({ ...fields, email: "sunny@example.com", password }).toString();
    const type = "application/x-www-form-urlencoded";
    const headers = { cookie: shown.cookie, origin: "https://storage.example.com", "content-type": type };
    return send("POST", { ...headers, "content-length": Buffer.byteLength(body) }, body);
  };

  it("has a program that goes on when its release is gone, with all that it may ask for", async () => {
    const releases = at("dist/releases");
    renameSync(releases, at("away"));
    const answer = await signUp("sunshinesunshinesunshine");
    renameSync(at("away"), releases);
    expect([answer.status, answer.page]).toEqual([422, expect.stringContaining("on a list of common")]);
  }, 30_000);

  it("loses no request at a restart", async () => {
    const answers: number[] = [];
    let isOver = false;
    const visitors = Array.from({ length: 8 }, async () => {
      while (!isOver) answers.push(await ask());
    });
    for (let restarts = 0; restarts < 6; restarts += 1) {
      await new Promise((resolve) => setTimeout(resolve, 600));
      held.kill("SIGUSR1");
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    isOver = true;
    await Promise.all(visitors);
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    expect(answers.length).toBeGreaterThan(50);
  }, 30_000);
});
