/** `opening FILE --reason TEXT`: customers who move in, with what they bring, from CSV with the header `email,balance`. */
import { readFileSync } from "node:fs";
import { addAmounts, formatExact, zero } from "../lib/money/amount.ts";
import { type OpeningFault, openBalances, readOpenings } from "../lib/staff/opening.ts";
import { type Job, type JobContext, readBy } from "./run.ts";

const text = { type: "string" } as const;
const faultsShown = 50;

export const job: Job = {
  usage: "FILE --reason TEXT [--by NAME] [--preview]",
  options: { reason: text, by: text, preview: { type: "boolean" } },
  run: async (context, { values, words }) => {
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) return "misused";
    const by = readBy(context, values);
    if (by === undefined) return "misused";
    const source = readText(file);
    if (source === undefined) {
      context.complain(`${file}: the file is not there, or not in UTF-8`);
      return "refused";
    }
    const { openings, faults } = readOpenings(source);
    if (faults.length > 0) return complainAll(context, file, faults);
    if (values.preview === true) {
      const sum = openings.reduce((total, one) => addAmounts(total, one.balance), zero);
      context.say(`${file}: would be: ${openings.length} customers, together $${formatExact(sum)}`);
      return "done";
    }
    const opened = await context.openStore().write((tx) => openBalances(tx, openings, by));
    if (!opened.ok) return complainAll(context, file, opened.faults);
    const { accounts, balances, known } = opened;
    context.say(`${file}: ${accounts} accounts made, ${balances} opening balances, ${known} known already`);
    return "done";
  },
};

function readText(file: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch {
    return undefined;
  }
}

function complainAll(context: JobContext, file: string, faults: readonly OpeningFault[]): "refused" {
  for (const { line, column, message } of faults.slice(0, faultsShown))
    context.complain(`${file}:${line}:${column}: ${message}`);
  context.complain(
    `${file}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"}; nothing was taken`,
  );
  return "refused";
}
