// Goal of this test: every journey of a customer by keyboard alone, with the place of the focus seen at each step; and each page on
// the way is for everybody: axe-core finds nothing, nothing is wider than a phone. Pictures of each, at three widths, light and
// dark, are left in out/pictures (or SHOTS) for a person to look at.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TOTP } from "otpauth";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { hasBrowser, openBrowser } from "./support/browser.ts";
import { lookAt } from "./support/looking.ts";
import { eventually, projectFolder, type Served, serveSite } from "./support/served.ts";

const folder = process.env.SHOTS ?? join(projectFolder, "out", "pictures");
const [email, password] = ["mira@example.com", "four words are enough"];

describe.skipIf(!hasBrowser)("by keyboard alone, a customer", () => {
  let served: Served;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    served = await serveSite();
    browser = await openBrowser(["--disable-background-networking"]);
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.setDefaultTimeout(15_000);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await served?.end();
  });

  /** What has the focus: its words, or those of its label; and whether a person sees that it has it. */
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      const label = element?.labels?.[0]?.textContent ?? "";
      const words = `${label} ${element?.textContent ?? ""}`.replace(/\s+/g, " ").trim();
      const { outlineStyle, outlineWidth } = getComputedStyle(element ?? document.body);
      return {
        words,
        tag: element?.tagName ?? "",
        isSeen: outlineStyle !== "none" && outlineWidth !== "0px",
      };
    });

  /** Presses Tab until something with these words has the focus, as a person would who looks for it. */
  async function reach(words: string | RegExp): Promise<void> {
    for (let presses = 0; presses < 150; presses += 1) {
      await page.keyboard.press("Tab");
      const found = await focused();
      if (typeof words === "string" ? !found.words.startsWith(words) : !words.test(found.words)) continue;
      expect(found, `${found.words} has the focus, and it is seen`).toMatchObject({ isSeen: true });
      return;
    }
    throw new Error(`no key leads to "${words}" on ${page.url()}`);
  }
  async function fill(label: string, text: string): Promise<void> {
    await reach(label);
    await page.keyboard.press("Control+A");
    await page.keyboard.type(text);
  }
  async function press(words: string | RegExp, key = "Enter"): Promise<void> {
    await reach(words);
    await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
  }
  const heading = () => page.locator("main h1").textContent();
  let number = 0;
  /** One of those that were shown once. */
  let recoveryCode = "";
  const look = async (name: string): Promise<void> => {
    number += 1;
    const pictures = { folder, name: `${String(number).padStart(2, "0")}-${name}` };
    expect(await lookAt(page, pictures), `${page.url()}: ${name}`).toEqual([]);
  };
  /** Opens the newest mail's link, as typed into the address bar. */
  async function open(subject: string, program: string): Promise<void> {
    const find = (): string | undefined => {
      const mail = served.mails().findLast((text) => text.includes(`Subject: ${subject}`));
      const plain = mail?.replace(/=\r?\n/g, "").replaceAll("=3D", "=") ?? "";
      return new RegExp(`http:\\S+${program}\\.cgi\\?\\w+=[\\w-]+`).exec(plain)?.[0];
    };
    await page.goto(await eventually(`the mail "${subject}"`, find));
  }
  const codeOf = (secret: string, step = 0): string =>
    new TOTP({ secret }).generate({ timestamp: systemClock.now() + step * 30_000 });

  it("signs up, confirms, and logs in", async () => {
    await page.goto(`${served.url}/`);
    await press("Sign up");
    await look("sign-up");
    await fill("E-mail address", email);
    await fill("Password", "password");
    await press("Sign up");
    expect(await page.locator("[role=alert]").textContent()).toContain("15 characters");
    await look("sign-up-refused");
    await fill("Password", password);
    await press("Sign up");
    await open("Confirm your address", "confirm");
    await look("confirm");
    await fill("Password", password);
    await press("Confirm");
    await press("Log in");
    await look("login");
    await fill("E-mail address", email);
    await fill("Password", password);
    await press("Log in");
    expect(await heading()).toBe("Your account");
    await look("account-new");
  }, 120_000);

  it("pays, sees usage and statement, and prints a receipt", async () => {
    await press("Add credit");
    await look("pay");
    await fill("Amount in US dollars", "10");
    await press("Go on to payment");
    await press(/^Pay \$10\.00/);
    expect(await heading()).toBe("Your account");
    const day = addDays(dayOf(systemClock.now()), -1);
    const file = join(served.folder, "usage.csv");
    writeFileSync(
      file,
      `day,account,machine,meter,quantity\n${day},${email},web1,storage,1000000000\n${day},${email},web1,upload,77\n`,
    );
    expect(served.site("usage", "import", file, "--complete", day).code).toBe(0);
    expect(served.site("job", "bill").code).toBe(0);
    await page.reload();
    await look("account");
    await press("Usage");
    if ((await page.locator("table").count()) === 0) await press("The month before");
    await look("usage");
    await press("Back to your account");
    await press("Payments");
    await look("payments");
    await press("Make one");
    await look("receipt-new");
    await fill("Buyer", "Mira Example");
    await press("Make the receipt");
    expect(await heading()).toBe("Receipt 1");
    await look("receipt");
    await page.emulateMedia({ media: "print" });
    await page.screenshot({ path: join(folder, "receipt-print.png"), fullPage: true });
    const hidden = ["body > header nav", ".sections", "footer form", "main >> text=Back to payments"];
    for (const part of hidden)
      expect([part, await page.locator(part).first().isVisible()]).toEqual([part, false]);
    expect(await page.locator(".receipt").isVisible()).toBe(true);
    await page.emulateMedia({ media: "screen" });
    await press("Back to payments");
    await press("Back to your account");
  }, 120_000);

  it("changes everything that can be changed", async () => {
    await press("Settings");
    await look("settings");
    await press("When and where you are warned");
    await fill("Warn me below so many days", "14");
    await press("Save");
    await look("warnings");
    await press("Back to settings");
    await press("Add, rename, or retire one");
    await fill("What you call it", "laptop");
    await fill("Current password", password);
    await press("Make a token for it");
    await look("machines");
    await press("web1");
    await look("machine");
    await press("Back to machines");
    await press("Back to settings");
    await press("For your programs");
    await fill("What it is for", "graph");
    await fill("Current password", password);
    await press("Make a token");
    await look("tokens");
    await press("Revoke");
    await press("Back to settings");
    await press("Where you are logged in");
    await look("sessions");
    await press("Back to settings");
    await press("Change your password");
    await look("password");
    await press("Back to settings");
    await press("Change your address");
    await fill("New e-mail address", "mira@example.net");
    await fill("Current password", password);
    await press("Change it");
    await open("Your new address", "address");
    await look("address");
    await press("Use this address");
    await press("Your account");
    expect(await page.locator(".facts").textContent()).toContain("mira@example.net");
  }, 120_000);

  it("agrees to an automatic recharge, is charged, and turns it off", async () => {
    await press("Settings");
    await press("Charge a card when credit runs low");
    await look("recharge-off");
    await fill("When my balance is below", "50");
    await fill("charge my card so much", "20");
    await fill("and in one month at most", "40");
    await fill("Current password", password);
    await press("Go on to save a card");
    await press("Save a card that can be charged");
    expect(await heading()).toBe("Automatic recharge");
    expect(await page.locator("main").textContent()).toContain("ending in 4242");
    expect(served.site("job", "recharge")).toMatchObject({ code: 0 });
    await page.reload();
    expect(await page.locator("main").textContent()).toContain("This month it was $20.00");
    await look("recharge-on");
    await press("Turn it off");
    await press(/^Remove it/);
    expect(await page.locator("main").textContent()).not.toContain("4242");
    expect(served.site("job", "recharge")).toMatchObject({ code: 0 });
    await press("Back to settings");
    await press("Back to your account");
  }, 120_000);

  it("turns a second factor on, logs out, and logs in with a code", async () => {
    await press("Settings");
    await press("Turn it on");
    await look("factor");
    await fill("Current password", password);
    await press("Turn it on");
    await look("factor-new");
    const secret = (await page.locator("main code").textContent())?.replaceAll(" ", "") ?? "";
    await fill("The code that the app shows now", codeOf(secret));
    await press("Turn it on");
    expect(await page.locator(".codes li").count()).toBe(10);
    recoveryCode = (await page.locator(".codes code").first().textContent()) ?? "";
    await look("factor-codes");
    await press("I have kept them");
    await press("Log out");
    // The way there is shown there as well; the button is behind it.
    await reach("Log out");
    await press("Log out");
    await fill("E-mail address", "mira@example.net");
    await fill("Password", password);
    // One of the half minute after: the one before was taken.
    await fill("Code, if you", codeOf(secret, 1));
    await press("Log in");
    expect(await heading()).toBe("Your account");
  }, 120_000);

  it("closes the account, and opens it again", async () => {
    await press("Settings");
    await press("Take everything with you");
    await look("close");
    await reach("Give them back");
    await page.keyboard.press("Space");
    await fill("Current password", password);
    await fill("Code from your app", recoveryCode);
    await reach("I want my account closed");
    await page.keyboard.press("Space");
    await press("Close my account");
    expect(await heading()).toBe("Your account is closed");
    await look("closed");
    await open("Your account at", "close");
    await press("Open it again");
    expect(await heading()).toBe("Your account is open again");
    await look("opened");
  }, 120_000);
});
