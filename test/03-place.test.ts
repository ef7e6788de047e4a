// Goal of this test: what programs take from the place where they run is refused unless it is right: overrides are
// for this machine only, and secrets are nobody else's.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NeedsHuman } from "../lib/util/failure.ts";
import { applyPlace, isLoopbackHttp, readPlace, readSecrets, secretNames } from "../lib/util/settings.ts";
import { makeSettings, testUrl } from "./support/site.ts";

describe("the environment", () => {
  it("names the data folder, and nothing else must be there", () => {
    expect(readPlace({ SITE_DATA: "/srv/data" })).toEqual({
      dataFolder: "/srv/data",
      secretsFile: "",
      urlOverride: "",
      mailToFolder: false,
      storeInFolder: false,
      operator: "",
    });
  });

  it.each([
    [{}, /SITE_DATA must be the absolute path/],
    [{ SITE_DATA: "data" }, /SITE_DATA must be the absolute path/],
    [
      { SITE_DATA: "/d", SITE_URL: "https://evil.example" },
      /SITE_URL=https:\/\/evil\.example: only http:\/\/127/,
    ],
    [{ SITE_DATA: "/d", SITE_URL: "http://127.0.0.1.evil.example" }, /SITE_URL=/],
    [{ SITE_DATA: "/d", SITE_URL: "http://127.0.0.1:80@evil.example" }, /SITE_URL=/],
    [{ SITE_DATA: "/d", SITE_STORE: "postgres://" }, /SITE_STORE=postgres:\/\/: only "sqlite"/],
    [{ SITE_DATA: "/d", SITE_MAIL: "smtp" }, /SITE_MAIL=smtp: only "folder"/],
  ])("%j is refused", (environment, message) => {
    expect(() => readPlace(environment)).toThrow(NeedsHuman);
    expect(() => readPlace(environment)).toThrow(message);
  });

  it("changes base URL and mail in development only", async () => {
    const settings = await makeSettings();
    const production = readPlace({ SITE_DATA: "/d" });
    expect(
      applyPlace({ ...settings, mail: { ...settings.mail, transport: "smtp" } }, production),
    ).toMatchObject({
      url: testUrl,
      mail: { transport: "smtp" },
    });
    const development = readPlace({
      SITE_DATA: "/d",
      SITE_URL: "http://127.0.0.1:8080",
      SITE_MAIL: "folder",
      SITE_STORE: "sqlite",
    });
    const onServer = { ...settings, store: "postgres://a@/books" };
    expect(applyPlace(onServer, production).store).toBe("postgres://a@/books");
    expect(applyPlace(onServer, development)).toMatchObject({
      store: "sqlite",
      url: "http://127.0.0.1:8080",
      mail: { transport: "folder" },
    });
  });

  it.each([
    ["http://127.0.0.1", true],
    ["http://localhost:8080", true],
    ["http://[::1]:8080", true],
    ["https://127.0.0.1", false],
    ["http://127.0.0.1/", false],
    ["http://127.0.0.1:8080/x", false],
    ["http://10.0.0.1", false],
  ])("takes %s for loopback: %s", (url, right) => {
    expect(isLoopbackHttp(url)).toBe(right);
  });
});

describe("the secrets file", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "picodollar-secrets-"));
    file = join(folder, "secrets");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (text: string, mode = 0o600) => {
    writeFileSync(file, text);
    chmodSync(file, mode);
  };

  it("gives each program the names that it asks for, and no others", () => {
    write("# Stripe\n\nstripe_key = sk_test_1\n  smtp_password=p=w \n");
    expect(readSecrets(file, ["stripe_key", "stripe_api"])).toEqual({ stripe_key: "sk_test_1" });
    expect(readSecrets(file, secretNames)).toEqual({ stripe_key: "sk_test_1", smtp_password: "p=w" });
    expect(readSecrets(file, [])).toEqual({});
    expect(readSecrets("", secretNames)).toEqual({});
  });

  it.each([
    ["stripe_kye = sk_test_1\n", 0o600, /secrets:1: not "name = value" with one of stripe_key/],
    ["\nstripe_key sk_test_1\n", 0o600, /secrets:2: not "name = value"/],
    ["stripe_key = a\nstripe_key = b\n", 0o600, /secrets:2: stripe_key is set twice/],
    ["stripe_key = a\n", 0o604, /everybody on this machine can read the secrets; run: chmod o= /],
  ])("that says %j with mode %o is refused, and no value is told", (text, mode, message) => {
    write(text, mode);
    expect(() => readSecrets(file, ["stripe_key"])).toThrow(NeedsHuman);
    expect(() => readSecrets(file, ["stripe_key"])).toThrow(message);
    expect(() => readSecrets(file, ["stripe_key"])).not.toThrow(/sk_test_1/);
  });

  it("that is not there is named", () => {
    expect(() => readSecrets(file, ["stripe_key"])).toThrow(/secrets: the secrets file cannot be read/);
  });
});
