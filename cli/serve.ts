/** `site serve`: the development server, until Ctrl-C. */
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Development } from "../dev/serve.ts";
import { systemClock } from "../lib/util/clock.ts";
import { resolveDataFolder } from "../lib/util/settings.ts";

interface ServeOptions {
  readonly source: string;
  readonly out?: string;
  readonly port: number;
  readonly drafts?: boolean;
  readonly future?: boolean;
}

export function addServeCommand(program: Command): void {
  program
    .command("serve")
    .description("build the site and serve it on this machine, with a mailbox and a stand-in for Stripe")
    .option("--source <folder>", "the site's folder", ".")
    .option("--out <folder>", "where to build it (default: dist in the site's folder)")
    .option("--port <number>", "the port on 127.0.0.1", readPort, 8080)
    .option("--drafts", "with pages that say draft: yes")
    .option("--future", "with pages whose date is to come")
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { startDevelopment } = await import("../dev/serve.ts");
  const sourceFolder = resolve(options.source);
  const starting = startDevelopment({
    sourceFolder,
    outFolder: options.out === undefined ? join(sourceFolder, "dist") : resolve(options.out),
    dataFolder: resolveDataFolder(sourceFolder),
    port: options.port,
    clock: systemClock,
    drafts: options.drafts === true,
    future: options.future === true,
    log: (line) => console.log(line),
  });
  const isEnding = endOnSignal(starting);
  try {
    await starting;
  } catch (cause) {
    // A terminal's Ctrl-C reaches the builder's and the database's helpers as well, and what they say of it is no fault.
    if (!isEnding()) throw cause;
  }
}

// Longer than a program is given to end by itself.
const endLimitMs = 5000;

/**
 * Ends everything at the first signal. A terminal's Ctrl-C reaches npm and us, and npm passes its own on, so the
 * second one means nothing.
 */
function endOnSignal(starting: Promise<Development>): () => boolean {
  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    console.log("\nending ...");
    setTimeout(() => process.exit(1), endLimitMs).unref();
    // What could not be started has ended by itself.
    const server = await starting.catch(() => undefined);
    await server?.close();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  return () => ending;
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("a port is a whole number from 1 to 65535, such as 8080.");
  return port;
}
