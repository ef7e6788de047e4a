/** All that is kept of an account as one archive, for a customer who asks the staff for it. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { resolveAccount } from "../lib/accounts/account.ts";
import { archivePortrait } from "../lib/staff/archive.ts";
import { readPortrait } from "../lib/staff/portrait.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "ACCOUNT --to FILE",
  options: { to: { type: "string" } },
  run: async (context, { words, values }) => {
    const [subject, ...more] = words;
    const { to } = values;
    if (subject === undefined || more.length > 0 || typeof to !== "string") return "misused";
    const file = resolve(to);
    if (existsSync(file)) {
      context.complain(`export: ${file} is there already; name another file`);
      return "refused";
    }
    const { settings, clock } = context;
    const portrait = await context.openStore().read(async (tx) => {
      const account = await resolveAccount(tx, subject);
      return account && readPortrait(tx, account, settings);
    });
    if (portrait === undefined) {
      context.complain(`export: "${subject}" is neither an account id nor the address of an account`);
      return "refused";
    }
    // Put in place whole, and readable by whoever asked for it alone.
    writeFileSync(`${file}.part`, archivePortrait(portrait, settings.meters, clock.now()), { mode: 0o600 });
    renameSync(`${file}.part`, file);
    context.say(`export: wrote ${file}`);
    return "done";
  },
};
