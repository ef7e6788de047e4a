/** `site price explain`: what a quantity costs on a day, step by step. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

interface Question extends Where {
  readonly day: string;
  readonly meter: string;
  readonly quantity: string;
}

export function addPriceCommand(program: Command): void {
  const price = program.command("price").description("look at the prices of etc/prices.yaml");
  addWhere(price.command("explain"))
    .description("work out what a quantity costs, step by step")
    .requiredOption("--day <day>", "the UTC day of the usage, 2026-11-23")
    .requiredOption("--meter <name>", "a meter of etc/prices.yaml")
    .requiredOption("--quantity <number>", "byte-days for a byte-month meter, else a count")
    .action(async (asked: Question) => {
      const words = [`--day=${asked.day}`, `--meter=${asked.meter}`, `--quantity=${asked.quantity}`];
      process.exitCode = await runReleaseJob("price", ["explain", ...words], asked);
    });
}
