/** Seals each second factor's secret anew with `account_key`, so that `account_key_old` can be thrown away. May be broken off and repeated. */
import { resealFactors } from "../lib/accounts/reseal.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  run: async (context, { words }) => {
    if (words.length > 0) return "misused";
    const { account_key: key, account_key_old: old } = context.secrets;
    if (key === undefined)
      throw new NeedsHuman("account_key is not in the secrets file; nothing can be sealed");
    const { resealed, kept } = await resealFactors(context.openStore(), key, old);
    context.say(`reseal: ${resealed} sealed anew, ${kept} were already; account_key_old can be taken out`);
    return "done";
  },
};
