// Goal of this test: a customer sees each payment and what became of it, and gets a receipt that is numbered without gaps, never
// changes, and is nobody else's.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseDollars } from "../lib/money/amount.ts";
import { takeRefund } from "../lib/payments/refund.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become("ada@example.org");
});
afterEach(() => visitor.end());

/** Pays, and gives the order. */
async function pay(amount: string, from = visitor): Promise<string> {
  await from.get("pay");
  const started = await from.post("pay", { amount });
  const { order, event } = await from.payAtStripe(started.headers.get("Location") ?? "");
  await from.tellWebhook(event);
  // The webhook keeps no cookie of ours.
  return order;
}
async function open(amount: string): Promise<string> {
  await visitor.post("pay", { amount });
  const [row] = visitor.test.raw("SELECT id FROM payment_order ORDER BY rowid DESC") as { id: string }[];
  return row?.id ?? "";
}
const receipts = () => visitor.test.raw("SELECT number, payment_order, buyer FROM receipt ORDER BY number");

describe("payments", () => {
  it("are shown with what became of them", async () => {
    const cookie = visitor.cookie();
    const paid = await pay("10");
    visitor.setCookie(cookie);
    await open("20");
    const [row] = visitor.test.raw("SELECT id FROM transfer WHERE code = 'topup'") as { id: string }[];
    const refund = {
      id: "re_1",
      paymentIntent: row?.id.replace("topup/", "") ?? "",
      orderId: "",
      currency: "usd",
      cents: 400,
      failed: false,
      paidBy: "",
      returnedBy: "",
    };
    await visitor.test.store.write((tx) => takeRefund(tx, refund));
    const { body } = await visitor.get("payments");
    expect(visitor.given.get("account/payments")).toMatchObject({
      payments: expect.arrayContaining([
        expect.objectContaining({ amount: "$10.00", isPaid: true, returned: "$4.00", tax: "" }),
        expect.objectContaining({ amount: "$20.00", isPaid: false, isOpen: true, href: "" }),
      ]),
    });
    expect(body).toMatch(new RegExp(`receipt\\.cgi\\?order(=|&#x3D;)${paid}"`));
  });
});

describe("a receipt", () => {
  it("is made once with the buyer's words, and stays as it was made", async () => {
    const cookie = visitor.cookie();
    const order = await pay("10");
    visitor.setCookie(cookie);
    expect((await visitor.get("receipt", { order })).body).toContain("Make the receipt");
    expect(receipts()).toEqual([]);
    const buyer = "Ada <Lovelace>\r\n  12 St James's Square\u0007 \r\n\r\nLondon";
    const made = await visitor.post("receipt", { order, buyer, tax_id: "GB 123" });
    expect(made.headers.get("Location")).toBe(`/account/receipt.cgi?order=${order}`);
    await visitor.post("receipt", { order, buyer: "Somebody else" });
    expect(receipts()).toEqual([
      { number: 1n, payment_order: order, buyer: "Ada <Lovelace>\n12 St James's Square\nLondon" },
    ]);
    const { body } = await visitor.get("receipt", { order });
    for (const words of ["Receipt 1", "Ada &lt;Lovelace&gt;<br>", "Tax id: GB 123", "$10.00", order])
      expect(body).toContain(words);
    await expect(visitor.test.store.write((tx) => tx.run("UPDATE receipt SET buyer = 'x'"))).rejects.toThrow(
      "append-only",
    );
  });

  it("is numbered without gaps over all customers, and offers the last buyer again", async () => {
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    const cookies = [visitor.cookie(), bob.cookie()];
    for (const [from, cookie] of [
      [visitor, cookies[0]],
      [bob, cookies[1]],
      [visitor, cookies[0]],
    ] as const) {
      const order = await pay("10", from);
      from.setCookie(cookie ?? "");
      await from.get("receipt", { order });
      await from.post("receipt", { order, buyer: "" });
      await from.post("receipt", { order, buyer: from === bob ? "Bob" : "Ada" });
    }
    expect(
      (receipts() as { number: bigint; buyer: string }[]).map(({ number, buyer }) => [number, buyer]),
    ).toEqual([
      [1n, "Ada"],
      [2n, "Bob"],
      [3n, "Ada"],
    ]);
    expect(bob.given.get("account/receipt-new")).toMatchObject({ buyer: "" });
    const last = await pay("10", bob);
    bob.setCookie(cookies[1] ?? "");
    await bob.get("receipt", { order: last });
    expect(bob.given.get("account/receipt-new")).toMatchObject({ buyer: "Bob" });
  });

  it("is of a payment of one's own that was paid, and of no other", async () => {
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    const cookie = bob.cookie();
    const theirs = await pay("10", bob);
    bob.setCookie(cookie);
    await bob.post("receipt", { order: theirs, buyer: "Bob" });
    const unpaid = await open("20");
    await visitor.get("payments");
    const answers = [];
    for (const order of [theirs, unpaid, "order_none", ""]) {
      answers.push(
        await visitor.get("receipt", { order }),
        await visitor.post("receipt", { order, buyer: "Ada" }),
      );
    }
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(receipts()).toHaveLength(1);
  });

  it.each([
    [{ buyer: "" }, "name, and the address if"],
    [{ buyer: " \n " }, "name, and the address if"],
    [{ buyer: "a\n".repeat(9) }, "1 to 8 lines"],
    [{ buyer: "Ada", tax_id: "a\tb" }, "cannot be printed"],
  ])("is not made of %j", async (fields, sentence) => {
    const cookie = visitor.cookie();
    const order = await pay("10");
    visitor.setCookie(cookie);
    const answer = await visitor.post("receipt", { order, ...(fields as Record<string, string>) });
    expect([answer.status, answer.body.includes(sentence)]).toEqual([422, true]);
    expect(receipts()).toEqual([]);
  });
});

describe("the statement between two days", () => {
  it("shows those days, with the balances that were then", async () => {
    const cookie = visitor.cookie();
    for (const amount of ["5", "6", "7"]) {
      await visitor.logIn("ada@example.org");
      await pay(amount);
      visitor.test.clock.ms += 86_400_000;
    }
    visitor.setCookie(cookie);
    await visitor.logIn("ada@example.org");
    const look = async (query: Record<string, string>) => {
      await visitor.get("account", query);
      const given = visitor.given.get("account/account") as {
        lines: { day: string; change: string; balanceAfter: string }[];
        wrongDates: string;
      };
      return {
        ...given,
        lines: given.lines.map(({ change, balanceAfter }) =>
          [change, balanceAfter].map((text) => parseDollars(text.replace(/^\+|\.0+$/g, ""))),
        ),
      };
    };
    const all = await look({});
    expect(all.lines).toHaveLength(3);
    const days = (
      visitor.test.raw("SELECT day FROM transfer WHERE code = 'topup' ORDER BY number") as { day: string }[]
    ).map(({ day }) => day);
    const [first = "", second = "", third = ""] = days;
    expect((await look({ from: second })).lines).toEqual(all.lines.slice(0, 2));
    expect((await look({ to: second })).lines).toEqual(all.lines.slice(1));
    expect((await look({ from: second, to: second })).lines).toEqual(all.lines.slice(1, 2));
    expect((await look({ from: third, to: first })).lines).toEqual([]);
    expect((await look({ from: "yesterday" })).wrongDates).toBe("yes");
    expect((await look({ to: "2026-02-30" })).lines).toEqual(all.lines);
  });
});
