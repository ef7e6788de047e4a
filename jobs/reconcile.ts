/**
 * The nightly comparison with Stripe: `reconcile [--since DAY] [--json]` reads Stripe's account of what it holds, brings in
 * what the books missed, and names each difference that remains.
 */
import { reconcile } from "../lib/payments/reconcile.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { parseDay } from "../lib/util/clock.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "[--since DAY] [--json]",
  options: { since: { type: "string" }, json: { type: "boolean" } },
  run: async (context, { values, words }) => {
    if (words.length > 0) return "misused";
    const since = typeof values.since === "string" ? parseDay(values.since) : undefined;
    if (since === undefined && values.since !== undefined) {
      context.complain(`reconcile: "${values.since}" is no day; write it as 2026-11-23`);
      return "misused";
    }
    const isJson = values.json === true;
    const sinceMs = since === undefined ? undefined : Date.parse(since);
    const stripe = connectStripe(context.secrets);
    const result = await reconcile(context.openStore(), stripe, sinceMs, context, (difference) => {
      if (isJson) context.say(JSON.stringify(difference));
      else context.complain(`${difference.id}: ${difference.message}`);
    });
    const { movements, booked, differences } = result;
    if (!isJson)
      context.say(`reconcile: ${movements} movements, ${booked} booked now, ${differences} differences`);
    if (differences === 0) return "done";
    throw new NeedsHuman(
      `the books and Stripe differ in ${differences} ${differences === 1 ? "thing" : "things"}; see above`,
    );
  },
};
