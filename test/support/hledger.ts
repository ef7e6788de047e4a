/** The books as hledger sees them: the ledger's export, checked with every balance assertion, and its totals beside ours. */
import { spawnSync } from "node:child_process";
import { expect } from "vitest";
import { type ExportFormat, exportLedger, nameAccount } from "../../lib/ledger/export.ts";
import { amountOf, formatExact, fromColumns } from "../../lib/money/amount.ts";
import type { TestStore } from "./store.ts";

export const hasHledger = spawnSync("hledger", ["--version"]).status === 0;

export async function exportBooks({ store }: TestStore, format: ExportFormat): Promise<string> {
  return store.read(async (tx) => {
    const lines: string[] = [];
    for await (const line of exportLedger(tx, format)) lines.push(`${line}\n`);
    return lines.join("");
  });
}

export function askHledger(journal: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync("hledger", ["-f", "-", ...words], {
    input: journal,
    encoding: "utf8",
    maxBuffer: 1024 * 1024 * 1024,
  });
  return { status, out: stdout, err: stderr };
}

/** hledger takes the journal with all its assertions, and the balance of every account is ours. */
export async function expectSameTotals(test: TestStore): Promise<void> {
  const journal = await exportBooks(test, "hledger");
  expect(askHledger(journal, "check")).toEqual({ status: 0, out: "", err: "" });
  const rows = askHledger(journal, "balance", "--flat", "--no-total", "-O", "csv", "-E")
    .out.trim()
    .split("\n");
  const theirs = new Map(
    rows.slice(1).map((row) => (/^"([^"]+)","([^"]+)"$/.exec(row) ?? []).slice(1) as [string, string]),
  );
  const ours = test.raw("SELECT ledger_account AS id, picodollars, attodollars FROM balance") as {
    id: string;
    picodollars: bigint;
    attodollars: bigint;
  }[];
  const differing = ours.flatMap((row) => {
    const shown = (theirs.get(nameAccount(row.id)) ?? "").replace("$", "");
    const own = formatExact(amountOf(-fromColumns(row)));
    // Nothing is shown without its decimals.
    const isSame = shown === own || (shown === "0" && fromColumns(row) === 0n);
    return isSame ? [] : [`${row.id}: ${shown} and ${own}`];
  });
  expect(differing).toEqual([]);
}
