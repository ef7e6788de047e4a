// Goal of this test: with what content/docs/production.html says of compressed files, the real lighttpd sends them to
// whoever takes them, and the files themselves to all others.
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildSite } from "../build/build.ts";
import { initSite } from "../build/init.ts";
import { systemClock } from "../lib/util/clock.ts";
import {
  type Lighttpd,
  lighttpdHasLua,
  lighttpdProgram,
  sendRaw,
  startLighttpd,
} from "./support/lighttpd.ts";

describe.skipIf(lighttpdProgram === undefined || !lighttpdHasLua)("compressed files behind lighttpd", () => {
  let folder: string;
  let server: Lighttpd;

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-lighttpd-")));
    initSite(join(folder, "source"));
    const paths = { sourceFolder: join(folder, "source"), outFolder: join(folder, "dist") };
    expect(await buildSite({ ...paths, clock: systemClock })).toMatchObject({ ok: true });
    server = await startLighttpd(folder, true);
  });
  afterAll(async () => {
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (path: string, takes: string) => {
    const words = takes === "" ? "" : `Accept-Encoding: ${takes}\r\n`;
    const request = `GET ${path} HTTP/1.1\r\nHost: storage.example.com\r\nConnection: close\r\n${words}\r\n`;
    const answer = await sendRaw(server.port, request, true);
    const header = (name: string) => answer?.headers.get(name)?.join(", ") ?? "";
    return {
      status: answer?.status,
      sent: `${header("content-encoding")} ${header("content-type")}`.trim(),
      length: Number(header("content-length")),
      vary: header("vary"),
      guarded: header("content-security-policy") !== "",
    };
  };

  const lengthOf = (file: string) => readFileSync(join(folder, "dist/current/www", file)).length;

  it("the configuration is taken without a word", () => {
    expect(server.complaints).toBe("");
  });

  const page = "text/html; charset=utf-8";
  it.each([
    ["/", "gzip, deflate, br", `br ${page}`, "index.html.br"],
    ["/docs/", "gzip", `gzip ${page}`, "docs/index.html.gz"],
    ["/docs/paying.html", "br;q=0, gzip;q=0.5", `gzip ${page}`, "docs/paying.html.gz"],
    ["/docs/paying.html", "", page, "docs/paying.html"],
    ["/docs/paying.html", "identity", page, "docs/paying.html"],
    ["/style.css", "br", "br text/css; charset=utf-8", "style.css.br"],
  ])("%s asked for with %j is sent as %j", async (path, takes, sent, file) => {
    const expected = { status: 200, sent, length: lengthOf(file), vary: "Accept-Encoding", guarded: true };
    expect(await ask(path, takes)).toEqual(expected);
  });

  it("what is not there is not there, and programs answer as they do", async () => {
    expect(await ask("/no/such/page.html", "br")).toMatchObject({ status: 404, sent: page });
    expect(await ask("/account/no-such.cgi", "br")).toMatchObject({ status: 404, sent: page });
    expect(await ask("/.env", "br")).toMatchObject({ status: 403 });
  });
});
