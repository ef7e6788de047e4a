/** The books looked at and handed out: `ledger verify [--json]` and `ledger export --format hledger|csv|json`. */
import { type ExportFormat, exportFormats, exportLedger } from "../lib/ledger/export.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { Job, JobContext } from "./run.ts";

export const job: Job = {
  usage: "verify [--json] | export [--format hledger|csv|json]",
  options: { json: { type: "boolean" }, format: { type: "string" } },
  run: async (context, { values, words }) => {
    const [verb, ...more] = words;
    if (more.length > 0) return "misused";
    if (verb === "verify" && values.format === undefined) return verify(context, values.json === true);
    if (verb !== "export" || values.json !== undefined) return "misused";
    const format = exportFormats.find((name) => name === (values.format ?? "hledger"));
    if (format !== undefined) return exportAll(context, format);
    context.complain(`ledger: "${values.format}" is no format; there are ${exportFormats.join(", ")}`);
    return "misused";
  },
};

async function verify(context: JobContext, isJson: boolean) {
  const expected = readExpectedSchema(context.database);
  let count = 0;
  const result = await context.openStore().read((tx) =>
    verifyBooks(tx, expected, (finding) => {
      count += 1;
      if (isJson) context.say(JSON.stringify(finding));
      else context.complain(`${finding.table} ${finding.row}: ${finding.message}`);
    }),
  );
  const { transfers, accounts, seals, lastSeal } = result;
  const sealed =
    lastSeal === undefined ? "no day is sealed" : `sealed up to ${lastSeal.day}, ${lastSeal.hash}`;
  const counts = `${transfers} transfers, ${accounts} accounts, ${seals} seals`;
  if (!isJson) context.say(`ledger: ${counts}; ${sealed}`);
  if (count > 0)
    throw new NeedsHuman(
      `${count} ${count === 1 ? "thing is" : "things are"} wrong with the books; see above`,
    );
  if (!isJson) context.say("ledger: all is right");
  return "done" as const;
}

/** Lines are said many at once: a system call for each would take most of the time. */
const linesAtOnce = 500;

async function exportAll(context: JobContext, format: ExportFormat) {
  // A transfer of hledger's has several lines.
  const say = (parts: readonly string[]): void => context.say(...parts.flatMap((part) => part.split("\n")));
  await context.openStore().read(async (tx) => {
    let lines: string[] = [];
    for await (const line of exportLedger(tx, format)) {
      lines.push(line);
      if (lines.length < linesAtOnce) continue;
      say(lines);
      lines = [];
    }
    if (lines.length > 0) say(lines);
  });
  return "done" as const;
}
