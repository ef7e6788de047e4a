/** `site secrets`: who reads which secret on a host, and each user's own file of them. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, usualSource, type Where } from "./release.ts";

interface SecretsFlags {
  readonly source: string;
  readonly json?: boolean;
}

export function addSecretsCommand(program: Command): void {
  const secrets = program.command("secrets").description("the secrets of a host, and who reads them");
  secrets
    .command("list")
    .description("say which secrets there are to set, which are set, and who reads each; shows none of them")
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--json", "print it as JSON")
    .action(async ({ source, json = false }: SecretsFlags) => {
      const { listReaders, readMaster } = await import("../build/host/secrets.ts");
      const cluster = await readHost(source);
      const [all, readers] = [readMaster(cluster), listReaders(cluster)];
      const names = [...new Set(readers.flatMap(({ secrets: own }) => own))];
      const rows = names.map((name) => ({
        name,
        isSet: all[name] !== undefined,
        readers: readers.filter(({ secrets: own }) => own.includes(name)).map(({ user }) => user),
      }));
      if (json) return console.log(JSON.stringify(rows));
      const width = Math.max(...names.map((name) => name.length));
      for (const { name, isSet, readers: users } of rows)
        console.log(`${name.padEnd(width)}  ${isSet ? "set    " : "not set"}  ${users.join(", ")}`);
    });
  addReseal(secrets);
  secrets
    .command("share")
    .description("give each user of the host its own file, by root: keys/ in the home, from the secrets file")
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--json", "print what was done as JSON")
    .action(async ({ source, json = false }: SecretsFlags) => {
      const { shareSecrets } = await import("../build/host/secrets.ts");
      const changed = shareSecrets(await readHost(source));
      if (json) console.log(JSON.stringify({ changed }));
      else
        console.log(
          changed.length === 0 ? "secrets: nothing to do" : `secrets: new ones for ${changed.join(", ")}`,
        );
    });
}

/** A job, but not of those that money is about. */
function addReseal(secrets: Command): void {
  addWhere(secrets.command("reseal"))
    .description(
      "seal what account_key_old sealed with account_key, after which the old one can be thrown away",
    )
    .action(async (where: Where) => {
      process.exitCode = await runReleaseJob("reseal", [], where);
    });
}

async function readHost(source: string) {
  const { readHostSettings } = await import("../build/host/place.ts");
  return readHostSettings(source).cluster;
}
