/** `report month MONTH [--json]`: a month for the house's own bookkeeping. */
import { type Amount, formatExact } from "../lib/money/amount.ts";
import { readMonth } from "../lib/staff/month.ts";
import { addDays, daysInMonth, parseDay } from "../lib/util/clock.ts";
import type { Job } from "./run.ts";

/** What each kind of account is called in the report, and whether the house owes it (or earned it) or has it. */
const names: Readonly<Record<string, string>> = {
  customer: "owed to customers",
  "stripe-clearing": "held by Stripe",
  bank: "paid out by Stripe",
  revenue: "revenue from usage",
  tax: "tax collected",
  fees: "fees of Stripe's",
  goodwill: "goodwill and gifts",
  refunds: "refunds under way",
  disputes: "disputes under way",
  adjustments: "adjustments",
};

export const job: Job = {
  usage: "month MONTH [--json]",
  options: { json: { type: "boolean" } },
  run: async (context, { values, words }) => {
    const [verb, text = "", ...more] = words;
    const first = parseDay(`${text}-01`);
    if (verb !== "month" || more.length > 0) return "misused";
    if (first === undefined) {
      context.complain(`report: "${text}" is no month; write it as 2026-11`);
      return "misused";
    }
    const last = addDays(first, daysInMonth(first) - 1);
    const month = await context.openStore().read((tx) => readMonth(tx, first, last));
    const list = (balances: ReadonlyMap<string, Amount>): Record<string, string> =>
      Object.fromEntries([...balances].map(([kind, amount]) => [kind, formatExact(amount)]));
    const moved = month.moved.map(({ code, transfers, amount }) => ({
      code,
      transfers: Number(transfers),
      amount: formatExact(amount),
    }));
    const owing = { accounts: Number(month.owing.accounts), amount: formatExact(month.owing.amount) };
    if (values.json === true) {
      context.say(
        JSON.stringify({ month: text, moved, before: list(month.before), after: list(month.after), owing }),
      );
      return "done";
    }
    context.say(`${text}, by booking day (UTC)`);
    context.say("", "moved");
    for (const { code, transfers, amount } of moved)
      context.say(`  ${code.padEnd(18)}${String(transfers).padStart(8)}  ${amount.padStart(28)}`);
    context.say("", "stood before, and at the end (credits less debits: what is owed or earned is positive)");
    for (const kind of Object.keys(names)) {
      const [before, after] = [list(month.before)[kind], list(month.after)[kind]];
      if (after === undefined) continue;
      const none = "0.000000000000000000";
      context.say(
        `  ${(names[kind] ?? kind).padEnd(22)}${(before ?? none).padStart(28)}  ${after.padStart(28)}`,
      );
    }
    context.say("", `of the customers ${owing.accounts} owe together ${owing.amount}`);
    return "done";
  },
};
