/** Charges the saved cards of accounts whose credit is below what their owners named (lib/payments/charging.ts): every night, after the bills. */
import { hasRecharges, rechargeAccounts } from "../lib/payments/charging.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  run: async (context, { words }) => {
    if (words.length > 0) return "misused";
    const store = context.openStore();
    if (!(await store.read(hasRecharges))) {
      context.say("recharge: nobody has it on");
      return "done";
    }
    const { hasTax } = context.settings;
    const report = await rechargeAccounts(store, connectStripe(context.secrets), context, !hasTax);
    const { accounts, charged, failed, waiting, troubles, isCut } = report;
    context.say(
      `recharge: ${accounts} accounts have it on, ${charged} charged, ${failed} failed, ${waiting} waiting`,
    );
    for (const line of troubles) context.complain(`recharge: ${line}`);
    if (hasTax) context.complain("recharge: nothing new is charged while payments.tax is yes");
    if (isCut) throw new TryLater("Stripe was away; the rest is charged by the next run");
    if (troubles.length > 0) throw new NeedsHuman("some recharges want a look; see above");
    return "done";
  },
};
