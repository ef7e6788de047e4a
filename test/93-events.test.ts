// Goal of this test: at the webhook of the served site, events that are replayed, forged, stale, or changed leave the
// books as they are.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../lib/util/clock.ts";
import { becomeCustomer, countRows, rowsOf } from "./support/customer.ts";
import { openDesk, wanted } from "./support/desk.ts";
import { eventually, type Served, serveSite } from "./support/served.ts";

let served: Served;
beforeAll(async () => {
  served = await serveSite();
});
afterAll(() => served?.end());

describe("an event", () => {
  const secrets = () => {
    const text = readFileSync(join(served.dataFolder, "development-secrets"), "utf8");
    const read = (name: string): string => new RegExp(`^${name} = (\\S+)$`, "m").exec(text)?.[1] ?? "";
    return { key: read("stripe_key"), webhookSecret: read("stripe_webhook_secret") };
  };
  const tell = (payload: string, signature: string) =>
    fetch(`${served.url}/account/stripe-webhook.cgi`, {
      method: "POST",
      body: payload,
      headers: { "content-type": "application/json; charset=utf-8", "stripe-signature": signature },
    });

  it("that is replayed credits nobody again; forged, stale, or changed ones are refused", async () => {
    const browser = await becomeCustomer(served, "mira@example.com");
    await browser.get("/account/pay.cgi");
    const started = await browser.post("/account/pay.cgi", { amount: "10" });
    const checkout = started.headers.get("location") ?? "";
    const paid = await fetch(checkout, {
      method: "POST",
      body: new URLSearchParams({ outcome: "pay" }),
      redirect: "manual",
    });
    expect(paid.status).toBe(303);
    await eventually("the credit", () =>
      rowsOf(served, "SELECT 1 FROM transfer").length === 1 ? true : undefined,
    );
    // The raw event as it came, out of the books; signed anew, as Stripe signs each repetition.
    const [kept] = rowsOf(served, "SELECT raw FROM stripe_event") as { raw: Uint8Array }[];
    const payload = Buffer.from(kept?.raw ?? []).toString();
    expect(payload).toContain('"checkout.session.completed"');
    const before = countRows(served);
    const sign = (text: string, secret: string, ageSeconds = 0): string =>
      Stripe.webhooks.generateTestHeaderString({
        payload: text,
        secret,
        timestamp: Math.floor(systemClock.now() / 1000) - ageSeconds,
      });
    const { webhookSecret } = secrets();
    expect((await tell(payload, sign(payload, webhookSecret))).status).toBe(200);
    expect((await tell(payload, sign(payload, "whsec_guessed"))).status).toBe(400);
    expect((await tell(payload, sign(payload, webhookSecret, 301))).status).toBe(400);
    expect((await tell(payload, "")).status).toBe(400);
    const dearer = payload.replaceAll("1000", "100000");
    expect(dearer).not.toBe(payload);
    expect((await tell(dearer, sign(payload, webhookSecret))).status).toBe(400);
    expect(countRows(served)).toEqual(before);
    expect(await (await browser.get("/account/account.cgi")).text()).toContain(
      '<p class="balance">$10.00</p>',
    );
  });

  it("of another Stripe with another secret is refused", async () => {
    const other = await openDesk();
    try {
      await other.press(await other.connect().checkout.sessions.create(wanted), "pay");
      const [sent] = other.deliveries;
      const before = countRows(served);
      const answer = await tell(sent?.raw.toString() ?? "", sent?.signature ?? "");
      expect([answer.status, await answer.text()]).toEqual([400, "the signature does not fit\n"]);
      expect(countRows(served)).toEqual(before);
    } finally {
      await other.end();
    }
  });
});
