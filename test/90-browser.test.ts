// Goal of this test: the whole house in a browser, as a newcomer walks through it: sign-up, mail, button, log in,
// credit, a billed day, one warning. `SHOTS=FOLDER npm test -- test/90` leaves screenshots of every step.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { hasBrowser, openBrowser } from "./support/browser.ts";
import { eventually, findLongMonthDay, type Served, serveSite } from "./support/served.ts";

const shots = process.env.SHOTS;
const [email, password] = ["mira@example.com", "four words are enough"];

describe.skipIf(!hasBrowser)("in a browser, a newcomer", () => {
  let served: Served;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** The stand-in's page of the payment. */
  let checkout: string;
  /** What the browser complained about: scripts, styles, and files that its policy or the server refused. */
  const complaints: string[] = [];

  beforeAll(async () => {
    served = await serveSite();
    browser = await openBrowser(["--disable-background-networking"]);
    context = await browser.newContext({ viewport: { width: 1200, height: 900 }, timezoneId: "UTC" });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // The page was left before it came; what a policy or the server refuses has another name.
      if (why === "net::ERR_ABORTED") return;
      complaints.push(`${request.url()}: ${why}`);
    });
  });
  afterAll(async () => {
    await browser?.close();
    await served?.end();
  });

  const shoot = async (name: string): Promise<void> => {
    if (shots === undefined) return;
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  const current = () =>
    page
      .locator("nav.sections [aria-current=page]")
      .evaluateAll((links) => links.map((link) => link.textContent));
  const heading = () => page.locator("main h1").textContent();
  const statement = () =>
    page
      .locator("table.statement tbody tr")
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent?.trim())),
      );

  it("reads the site, and the navigation marks where it is", async () => {
    await page.goto(`${served.url}/`);
    expect(await current()).toEqual(["Home"]);
    await shoot("01-home");
    await page.click("text=Documentation");
    expect(new URL(page.url()).pathname).toBe("/docs/");
    expect(await current()).toEqual(["Documentation"]);
    await page.click("nav.sections >> text=Billing and warnings");
    expect(await current()).toEqual(["Billing and warnings"]);
    await shoot("02-docs");
    expect((await page.goto(`${served.url}/nothing/here`))?.status()).toBe(404);
    expect(await heading()).toBe("There is no such page");
    complaints.splice(0); // The browser notes the 404 that was asked for.
  });

  it("signs up, and finds the mail in the mailbox", async () => {
    await page.goto(`${served.url}/`);
    await page.click("header >> text=Sign up");
    expect(await page.locator("header [aria-current=page]").textContent()).toBe("Sign up");
    await page.fill("input[name=email]", email);
    await page.fill("input[name=password]", password);
    await shoot("03-signup");
    await page.click("main button");
    expect(await heading()).toBe("Look into your mailbox");
    await eventually("the mail", () =>
      existsSync(join(served.dataFolder, "mail")) ? served.mails()[0] : undefined,
    );
    await page.goto(`${served.url}/mailbox/`);
    await shoot("04-mailbox");
    await page.click("main table a");
    await shoot("05-mail");
  });

  it("confirms by the password and a button, not by the link", async () => {
    await page.click("main pre a");
    expect(new URL(page.url()).pathname).toBe("/account/confirm.cgi");
    await page.reload();
    await shoot("06-confirm");
    await page.fill("input[name=password]", password);
    await page.click("main button");
    await shoot("07-confirmed");
    expect(await page.locator("main a", { hasText: /log in/i }).count()).toBe(1);
  });

  it("logs in: nothing has happened, and the balance is $0.00", async () => {
    await page.click("main a >> text=/log in/i");
    await page.fill("input[name=email]", email);
    await page.fill("input[name=password]", "not the four words");
    await page.click("main button");
    expect(await page.locator("[role=alert]").count()).toBe(1);
    await shoot("08-wrong");
    complaints.splice(0); // The browser notes the status 422.
    await page.fill("input[name=password]", password);
    await page.click("main button");
    expect(new URL(page.url()).pathname).toBe("/account/account.cgi");
    expect(await page.locator(".balance").textContent()).toBe("$0.00");
    expect(await page.locator("table.statement").count()).toBe(0);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: "session", httpOnly: true, sameSite: "Lax" });
    await shoot("09-empty");
  });

  it("adds $10 at the stand-in for Stripe, and comes back to one line on the statement", async () => {
    await page.click("main >> text=Add credit");
    await page.fill("input[name=amount]", "10");
    await shoot("10-pay");
    await page.click("main button");
    expect(new URL(page.url()).origin).not.toBe(served.url);
    expect(await page.locator(".notice").textContent()).toContain("no money moves");
    await shoot("11-checkout");
    checkout = page.url();
    await page.click("text=Pay $10.00");
    expect(page.url()).toBe(`${served.url}/account/account.cgi`);
    expect(await page.locator(".balance").textContent()).toBe("$10.00");
    const rows = await statement();
    expect(rows).toHaveLength(1);
    expect(rows[0]?.slice(2)).toEqual(["+10.000000000000000000", "10.000000000000000000"]);
    await shoot("12-credited");
  });

  it("sees a day's storage and traffic to 18 decimals", async () => {
    const day = findLongMonthDay();
    const usage = `day,account,machine,meter,quantity
${day},${email},web1,storage,259688348
${day},${email},web1,upload,1000
`;
    writeFileSync(join(served.folder, "day.csv"), usage);
    expect(served.site("usage", "import", join(served.folder, "day.csv")).out).toContain("2 rows added");
    expect(served.site("job", "bill", "--day", day)).toMatchObject({ code: 0, err: "" });
    await page.reload();
    // By hand, at 250 picodollars and 31 days: floor(250,000,000 / 31) = 8,064,516 attodollars a byte-day.
    //   259,688,348 x 8,064,516    = 2,094,260,837,459,568
    //         1,000 x 250,000,000  =       250,000,000,000
    //                          sum = 2,094,510,837,459,568; 10^19 less that = 9,997,905,489,162,540,432
    expect(await statement()).toEqual([
      [dayOf(systemClock.now()), `Usage of ${day}`, "-0.002094510837459568", "9.997905489162540432"],
      ["", expect.stringMatching(/^web1: Storage, 259.?688.?348/), "0.002094260837459568", ""],
      ["", expect.stringMatching(/^web1: Upload, 1.?000/), "0.000000250000000000", ""],
      [
        expect.any(String),
        expect.stringMatching(/^Payment/),
        "+10.000000000000000000",
        "10.000000000000000000",
      ],
    ]);
    expect(await page.locator(".balance").textContent()).toBe("$9.99");
    await shoot("13-billed");
  });

  it("is warned once, when less than seven days are left", async () => {
    const day = addDays(findLongMonthDay(), 1);
    writeFileSync(
      join(served.folder, "heavy.csv"),
      `day,account,machine,meter,quantity\n${day},${email},web1,storage,186000000000\n`,
    );
    expect(served.site("job", "warn").out).toContain("0 warned");
    expect(served.site("usage", "import", join(served.folder, "heavy.csv"), "--complete", day).code).toBe(0);
    expect(served.site("job", "bill").code).toBe(0);
    expect(served.site("job", "warn").out).toContain("1 warned");
    expect(served.site("job", "warn").out).toContain("0 warned");
    expect(served.site("job", "mail").code).toBe(0);
    const warnings = () => served.mails().filter((mail) => /^Subject: .*more days/m.test(mail));
    await eventually("the warning", () => warnings()[0]);
    expect(warnings()).toHaveLength(1);
    await page.reload();
    expect(await page.locator(".notice").textContent()).toContain("more days");
    await shoot("14-low");
    await page.goto(`${served.url}/account/history.cgi?month=${day.slice(0, 7)}`);
    expect(await page.locator("svg.chart rect").count()).toBeGreaterThan(0);
    await shoot("14-usage");
    await page.click("text=Back to your account");
  });

  it("has half of it refunded, and then all of it disputed, and sees both on the statement, below zero", async () => {
    await page.goto(checkout);
    await page.click("text=Refund half of it");
    expect(await page.locator("[role=status]").textContent()).toMatch(/^Refund re_\w+ was made\.$/);
    await page.click("text=Dispute it at the bank");
    await shoot("15-later");
    const rows = async () => {
      await page.goto(`${served.url}/account/account.cgi`);
      return (await statement()).map((row) => row.slice(1, 3));
    };
    const whats = async () => (await rows()).map(([what]) => what);
    await expect.poll(whats, { timeout: 15_000 }).toContain("Payment disputed at its bank");
    const day = findLongMonthDay();
    writeFileSync(
      join(served.folder, "again.csv"),
      `day,account,machine,meter,quantity,revision\n${day},${email},web1,upload,2000,2\n`,
    );
    expect(served.site("usage", "import", join(served.folder, "again.csv")).out).toContain("1 revised");
    expect((await rows()).slice(0, 4)).toEqual([
      [`Usage of ${day}, measured again`, "-0.000000250000000000"],
      [expect.stringMatching(/^web1: Upload, 2.?000/), "0.000000250000000000"],
      ["Payment disputed at its bank", "-10.000000000000000000"],
      ["Refund", "-5.000000000000000000"],
    ]);
    expect(await page.locator("[role=alert]").textContent()).toContain("Your credit is used up");
    await shoot("16-disputed");
    expect(served.site("reconcile")).toMatchObject({
      code: 0,
      out: expect.stringContaining("0 differences"),
    });
    expect(served.site("ledger", "verify")).toMatchObject({ code: 0 });
  });

  it("forgets the password, sets another by the link in the mail, and logs in with it", async () => {
    await page.goto(`${served.url}/account/login.cgi`);
    await page.click("text=Set a new one");
    await page.fill("main input[type=email]", email);
    await page.click("main button");
    const mailed = () => served.mails().find((mail) => /^Subject: A new password/m.test(mail));
    const mail = (await eventually("the link", mailed)).replace(/=\r?\n/g, "").replaceAll("=3D", "=");
    await page.goto(/http:\S+reset\.cgi\?token=[\w-]+/.exec(mail)?.[0] ?? "");
    await page.fill("main input[type=password]", "five words are enough too");
    await shoot("17-reset");
    await page.click("main button");
    expect(await heading()).toBe("Your password is set");
    await page.goto(`${served.url}/account/account.cgi`);
    expect(new URL(page.url()).pathname).toBe("/account/login.cgi");
    await page.fill("main input[type=email]", email);
    await page.fill("main input[type=password]", "five words are enough too");
    await page.click("main button");
    expect(await heading()).toBe("Your account");
    await page.click("main >> text=Settings");
    await shoot("18-settings");
    await page.click("text=Change your password");
    await shoot("19-password");
    await page.click("text=Back to settings");
    await page.click("text=Where you are logged in");
    await shoot("20-sessions");
    await page.click("text=Back to settings");
    await page.click("text=Back to your account");
  });

  it("logs out, and the browser's Back shows nothing of the account", async () => {
    await page.click("main >> text=Log out");
    await page.click("main button");
    await page.goto(`${served.url}/account/account.cgi`);
    expect(new URL(page.url()).pathname).toBe("/account/login.cgi");
    await page.goBack();
    expect(await page.content()).not.toContain(email);
  });

  it.each([
    ["phone", 320, 700, "light"],
    ["tablet", 768, 1000, "dark"],
    ["wide", 1600, 1000, "dark"],
  ] as const)("finds every page whole on a %s", async (name, width, height, colorScheme) => {
    const view = await browser.newPage({ viewport: { width, height }, colorScheme });
    for (const path of [
      "/",
      "/docs/billing.html",
      "/account/signup.cgi",
      "/account/reset.cgi",
      "/faq.html",
    ]) {
      await view.goto(served.url + path);
      const overflow = await view.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth);
      expect([path, overflow]).toEqual([path, 0]);
      if (shots !== undefined)
        await view.screenshot({ path: join(shots, `20-${name}${path.replaceAll(/[/.]/g, "-")}.png`) });
    }
    await view.close();
  });

  it("hears no complaint of the browser on the way", () => {
    expect(complaints).toEqual([]);
  });
});
