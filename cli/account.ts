/**
 * `site account ...` and `site goodwill`: what the staff does with accounts. Each command is a job of the built site; `by` and
 * `reason` go into the audit log.
 */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

interface Deed extends Where {
  readonly reason?: string;
  readonly by?: string;
  readonly preview?: boolean;
  readonly json?: boolean;
  readonly payment?: string;
  readonly resume?: string;
  readonly days?: string;
  readonly below?: string;
  readonly second?: string;
  readonly money?: string;
  readonly to?: string;
  readonly all?: boolean;
  readonly undo?: string;
}

export function addAccountCommand(program: Command): void {
  const account = program.command("account").description("find, show, and look after customers' accounts");
  const add = (usage: string, text: string): Command => addWhere(account.command(usage)).description(text);
  add("find <text>", "accounts whose id or address has the text in it")
    .option("--json", "as lines of JSON")
    .action((text: string, options: Deed) => run("account", ["find"], [text], options));
  add("show <account>", "where an account stands, its last transfers, and what was done to it")
    .option("--json", "as JSON")
    .action((id: string, options: Deed) => run("account", ["show"], [id], options));
  for (const [verb, text] of [
    ["hold", "keep an account from deletion"],
    ["release", "end a hold"],
    ["note", "write a note (the reason) into an account's log"],
    ["log-out", "end every session of an account"],
    ["reopen", "open an account again that was closed and not erased yet"],
    ["recharge-off", "turn automatic recharges off, as their owner asked for"],
    ["factor-off", "turn a second factor off, for an owner who lost it and was recognised"],
  ] as const)
    addDeed(add(`${verb} <account>`, text)).action((id: string, options: Deed) =>
      run("account", [verb], [id], options),
    );
  addDeed(add("warn <account>", "when and where a customer is warned; what is not given is as the site says"))
    .option("--days <number>", "below so many days of cost")
    .option("--below <amount>", "below an amount in dollars instead")
    .option("--second <address>", "at this address too")
    .action((id: string, options: Deed) => run("account", ["warn"], [id], options));
  addDeed(add("close <account>", "close an account in its customer's name"))
    .requiredOption("--money <choice>", "what becomes of money that is left: refund or leave")
    .action((id: string, options: Deed) => run("account", ["close"], [id], options));
  add("export <account>", "all that is kept of an account, as one archive")
    .requiredOption("--to <file>", "the file to write, which must not be there")
    .action((id: string, options: Deed) => run("export", [], [id], options));
  addDeed(add("amnesty <on|off>", "keep all accounts from deletion, or end that")).action(
    (word: string, options: Deed) => run("account", ["amnesty"], [word], options),
  );
  for (const [verb, job, text] of [
    ["credit", "give", "give credit as goodwill"],
    ["gift", "gift", "give credit as a gift, to try the service"],
    ["charge", "charge", "take credit by hand"],
  ] as const)
    addDeed(add(`${verb} <account> <amount>`, text)).action((id: string, amount: string, options: Deed) =>
      run("credit", [job], [id, amount], options),
    );
  addDeed(add("refund [account] [amount]", "give a payment back through Stripe, in part or whole"), false)
    .option("--payment <id>", "the payment intent; the newest that has enough left unless told")
    .option("--resume <id>", "ask again for a refund that did not come to an end")
    .action((id: string | undefined, amount: string | undefined, options: Deed) =>
      run(
        "refund",
        [],
        [id, amount].filter((word) => word !== undefined),
        options,
      ),
    );
  addDeed(add("import <file>", "customers who move in, from CSV with the header email,balance")).action(
    (file: string, options: Deed) => run("opening", [], [file], options),
  );
}

export function addGoodwillCommand(program: Command): void {
  const goodwill = addDeed(addWhere(program.command("goodwill")))
    .description("credit every account with so many days of what it costs, as after an outage")
    .option("--all", "every account that costs something")
    .option("--days <number>", "days of its cost that each account gets")
    .option("--undo <batch>", "take back what a batch gave");
  goodwill.action(async (options: Deed) => {
    const { all, undo, ...rest } = options;
    if (undo !== undefined) run("credit", ["undo"], [undo], rest);
    else if (all) run("credit", ["goodwill"], [], rest);
    else goodwill.error("say whom: --all --days N, or --undo BATCH");
  });
}

/** The options of every command that decides something. */
function addDeed(command: Command, isRequired = true): Command {
  const withReason = isRequired
    ? command.requiredOption("--reason <text>", "why, for the audit log")
    : command.option("--reason <text>", "why, for the audit log");
  return withReason
    .option("--by <name>", "who does it (default: who is logged in)")
    .option("--preview", "show what would be done, and do nothing");
}

async function run(
  job: string,
  verb: readonly string[],
  words: readonly string[],
  options: Deed,
): Promise<void> {
  const { reason, by, preview, json, payment, resume, days, below, second } = options;
  const named = Object.entries({ reason, by, payment, resume, days, below, second })
    .filter((pair) => pair[1] !== undefined)
    .map(([name, value]) => `--${name}=${value}`);
  const flags = [...(preview ? ["--preview"] : []), ...(json ? ["--json"] : [])];
  process.exitCode = await runReleaseJob(job, [...verb, ...named, ...flags, "--", ...words], options);
}
