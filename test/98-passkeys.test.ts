// Goal of this test: passkeys in a real browser, over https through the real hitch and lighttpd as a build configures them: one is made, logs in
// with nothing typed, stands in for a code, and is removed; where the browser has none it says so; by keyboard, and for everybody.
import { join } from "node:path";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openBrowser } from "./support/browser.ts";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { lookAt } from "./support/looking.ts";
import { projectFolder } from "./support/served.ts";

const site = `https://${hostName}`;
const shots = process.env.SHOTS ?? join(projectFolder, "out", "pictures");
const [email, password] = ["mira@example.com", "four words are enough"];

describe.skipIf(!hasBrowser || !canHost)("over https, a passkey", () => {
  let host: Host;
  let browser: Browser;
  let page: Page;
  let devices: CDPSession;
  let device = "";
  const said: string[] = [];

  beforeAll(async () => {
    host = await startHost();
    browser = await openBrowser([
      "--disable-background-networking",
      `--host-resolver-rules=MAP ${hostName} 127.0.0.1:${host.httpsPort}`,
      `--ignore-certificate-errors-spki-list=${host.keyHash}`,
    ]);
    await openWindow();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await host?.end();
  });

  /** A fresh browser without cookies, which has no device yet. */
  async function openWindow(): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => said.push(message.text()));
    devices = await context.newCDPSession(page);
    await devices.send("WebAuthn.enable");
  }
  /** A telephone whose owner is there, and shows a finger. */
  async function plugIn(): Promise<void> {
    const { authenticatorId } = await devices.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    device = authenticatorId;
  }
  const passkeys = async () =>
    (await devices.send("WebAuthn.getCredentials", { authenticatorId: device })).credentials;
  const heading = () => page.locator("main h1").textContent();
  const text = () => page.locator("main").textContent();
  /** Puts the focus on a button by its words, and presses it by the keyboard. */
  async function press(words: string): Promise<void> {
    await page.getByRole("button", { name: words, exact: true }).focus();
    await page.keyboard.press("Enter");
  }
  /** A page that leads on by itself may do so before it has been seen. */
  const arrive = (what: string): Promise<void> =>
    page.waitForFunction((words) => document.querySelector("main h1")?.textContent === words, what).then();

  it("is made by whoever is logged in, and gives recovery codes", async () => {
    await page.goto(`${site}/account/signup.cgi`);
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill(password);
    await press("Sign up");
    await arrive("Look into your mailbox");
    const [mail] = host.rows("SELECT body FROM outbox") as { body: string }[];
    await page.goto(/https:\/\/\S+confirm\.cgi\?token=[\w-]+/.exec(mail?.body ?? "")?.[0] ?? "");
    await page.getByLabel("Password").fill(password);
    await press("Confirm my address");
    await arrive("Your account is ready");
    await page.goto(`${site}/account/login.cgi`);
    expect(await lookAt(page)).toEqual([]);
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill(password);
    await press("Log in");
    await arrive("Your account");
    await plugIn();
    await page.goto(`${site}/account/passkey.cgi`);
    expect(await lookAt(page, { folder: shots, name: "40-passkeys-none" })).toEqual([]);
    await page.getByLabel("What you call it").fill("telephone");
    await page.getByLabel("Current password").fill(password);
    await press("Add a passkey");
    await arrive("Recovery codes");
    expect(await page.locator("main li").count()).toBe(10);
    expect(await passkeys()).toMatchObject([{ rpId: hostName, isResidentCredential: true }]);
    await page.goto(`${site}/account/passkey.cgi`);
    expect(await text()).toContain("telephone");
    expect(await lookAt(page, { folder: shots, name: "41-passkeys" })).toEqual([]);
  }, 60_000);

  it("stands in for a code", async () => {
    await page.goto(`${site}/account/tokens.cgi`);
    expect(await page.getByLabel("Code from your app").count()).toBe(1);
    await page.getByRole("link", { name: "Show a passkey in its place" }).click();
    expect(await lookAt(page, { folder: shots, name: "42-passkey-show" })).toEqual([]);
    await press("Show a passkey");
    await arrive("For your programs");
    expect(await page.getByLabel("Code from your app").count()).toBe(0);
    expect(await lookAt(page, { folder: shots, name: "43-passkey-shown" })).toEqual([]);
    await page.getByLabel("What it is for").fill("graph");
    await page.getByLabel("Current password").fill(password);
    await press("Make a token");
    await page.getByText("Here is the token").waitFor();
  }, 60_000);

  it("logs in with nothing typed; without one the page says what is wrong, and asks again", async () => {
    const [own] = await passkeys();
    await openWindow();
    await plugIn();
    await page.goto(`${site}/account/login.cgi`);
    await press("Log in with a passkey");
    await page.locator("#failed").waitFor({ state: "visible" });
    expect(await lookAt(page, { folder: shots, name: "44-passkey-none-came" })).toEqual([]);
    if (own === undefined) throw new Error("the telephone has a passkey");
    await devices.send("WebAuthn.addCredential", { authenticatorId: device, credential: own });
    await press("Ask me again");
    await arrive("Your account");
    expect(await text()).toContain(email);
    expect(said).toEqual([]);
  }, 60_000);

  it("is removed, and opens nothing any more", async () => {
    await page.goto(`${site}/account/passkey.cgi`);
    await page.getByRole("link", { name: /^Remove it/ }).click();
    expect(await lookAt(page, { folder: shots, name: "45-passkey-remove" })).toEqual([]);
    await page.getByLabel("Current password").fill(password);
    await press("Remove it");
    await arrive("Passkeys");
    expect(await text()).not.toContain("telephone");
    await page.context().clearCookies();
    await page.goto(`${site}/account/login.cgi`);
    await press("Log in with a passkey");
    await page.getByText("That passkey opens nothing here").waitFor();
    expect(await heading()).toBe("Log in");
    expect(await lookAt(page, { folder: shots, name: "46-passkey-refused" })).toEqual([]);
    const log = host.read("log/programs.log");
    for (const what of ["passkey-added", "passkey-shown", "login", "passkey-removed", "login-refused"])
      expect(log).toMatch(new RegExp(`security: ${what} (acct_\\w{16}|-) from 127\\.0\\.0\\.1`));
  }, 60_000);
});
