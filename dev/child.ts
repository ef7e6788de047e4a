/**
 * Builds a site in a process of its own, again and again, for the one that started it (builder.ts), which shows pages
 * meanwhile. Ends with it.
 */
import { type BuildOptions, type BuildResult, buildSite } from "../build/build.ts";
import { systemClock } from "../lib/util/clock.ts";

export type Order = Required<Pick<BuildOptions, "sourceFolder" | "outFolder" | "drafts" | "future">>;

export type Report =
  | { readonly result: BuildResult }
  | { readonly failure: { readonly name: string; readonly message: string; readonly stack: string } };

process.on("message", async (order: Order) => {
  process.send?.(await report(order));
});
// A terminal's Ctrl-C reaches us as well; whoever started us ends us when all else has ended.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

async function report(order: Order): Promise<Report> {
  try {
    return { result: await buildSite({ ...order, clock: systemClock }) };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    // Errors lose their kind on their way.
    return { failure: { name: cause.name, message: cause.message, stack: cause.stack ?? "" } };
  }
}
