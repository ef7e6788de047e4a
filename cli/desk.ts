/**
 * The front desk: the `site` command (also known as `picodollar`). One file per subcommand; here is only what
 * they share: usage errors end with exit code 64, a refusal with 1, NeedsHuman with 100, TryLater with 111.
 * Called by program.ts with all of them, and by quick.ts with one.
 */
import { Command, CommanderError } from "commander";
import { packageVersion } from "../build/init.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";

/** What adds each command, by its name, in the order in which they are listed. */
export type Adders = ReadonlyMap<string, (program: Command) => void>;

/**
 * Reads the command line and does what it says; sets the exit code. Answers which parts of the code it used that are
 * worth keeping in V8's form (cli/site.ts).
 * @param listAdders `use`: told which parts of the code were used
 * @param write what is to be printed goes there; on standard output unless told
 */
export async function serveDesk(
  listAdders: (use: (part: string) => void) => Adders,
  write?: (text: string) => void,
): Promise<readonly string[]> {
  const used: string[] = [];
  const program = new Command("site")
    .description("The website and the prepaid customer accounts of a small online service")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError("(site --help lists the commands)");
  if (write !== undefined) program.configureOutput({ writeOut: write });
  const adders = listAdders((part) => used.push(part));
  // Describing all commands takes some milliseconds; whoever names one needs no other.
  const named = adders.get(process.argv[2] ?? "");
  for (const add of named === undefined ? adders.values() : [named]) add(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = reportError(error);
  }
  return used;
}

function reportError(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  if (error instanceof NeedsHuman || error instanceof TryLater) {
    console.error(`site: ${error.message}`);
    if (error.cause instanceof Error) console.error(`  because: ${error.cause.message}`);
    return error instanceof NeedsHuman ? 100 : 111;
  }
  console.error("site: this is a bug");
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 70;
}
