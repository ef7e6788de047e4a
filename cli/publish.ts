/** `site publish`: what was built here, served by a host. */
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";
import { makeProgress } from "./progress.ts";
import { describeTaken, splitWords } from "./taking.ts";

interface PublishFlags {
  readonly source: string;
  readonly out?: string;
  readonly ssh: string;
  readonly site: string;
  readonly migrate?: boolean;
  readonly control?: string;
  readonly check: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addPublishCommand(program: Command): void {
  program
    .command("publish")
    .description("send the release that was built to a host, where it is tried and then served")
    .argument("<host>", "as ssh knows it: root@web1.example.com")
    .option("--source <folder>", "the site's folder", ".")
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option("--migrate", "bring the host's books to its schema, tried on a copy of them first")
    .option("--no-check", "leave out what `site check` looks at")
    .option("--dry-run", "say what would be sent; nothing is changed on the host")
    .option("--ssh <command>", "how to log in", "ssh -o BatchMode=yes")
    .option("--site <command>", "what this command is called there", "site")
    .option("--control <command>", "what reloads and restarts units there (default: systemctl, by root)")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", help)
    .action(publish);
}

const help = `
The host has this package installed, and a home as etc/cluster.yaml says (RUNBOOK.md makes one). Its files are compared
with the manifest, its programs tried on the books, its configuration looked at by lighttpd and hitch; then it is
served, servers whose configuration is another one are told, and the site is asked for a page. Where anything is wrong,
the release before goes on. Exit code 1 where the host refused it.`;

async function publish(host: string, flags: PublishFlags): Promise<void> {
  const { sendRelease } = await import("../build/host/send.ts");
  const { findOutFolder } = await import("../build/host/place.ts");
  const { source, json = false, dryRun: isDry = false } = flags;
  const outFolder = findOutFolder(source, flags.out);
  const progress = makeProgress(!json);
  if (flags.check && !(await isChecked(source, outFolder, progress.show))) {
    progress.clear();
    console.error("site publish: the site has faults; `site check` says which. Nothing was sent");
    process.exitCode = 1;
    return;
  }
  const control = flags.control === undefined ? [] : ["--control", flags.control];
  const sent = sendRelease({
    sourceFolder: source,
    outFolder,
    host,
    ssh: splitWords(flags.ssh),
    site: splitWords(flags.site),
    flags: [...(flags.migrate ? ["--migrate"] : []), ...control],
    isDry,
    onStage: progress.show,
  });
  progress.clear();
  process.exitCode = sent.outcome === "refused" ? 1 : 0;
  if (json) return console.log(JSON.stringify(sent));
  if (sent.outcome === "same") return console.log(`${sent.id} is served by ${host} already`);
  const amount = `${sent.files} files, ${(sent.bytes / 1e6).toFixed(1)} MB`;
  console.log(isDry ? `${sent.id} would be sent to ${host}: ${amount}` : `sent to ${host}: ${amount}`);
  if (sent.taken?.ok) for (const line of describeTaken(sent.taken, false)) console.log(line);
  if (sent.taken?.ok === false)
    for (const fault of sent.taken.faults) console.error(`site publish: ${host}: ${fault}`);
}

async function isChecked(source: string, outFolder: string, show: (what: string) => void): Promise<boolean> {
  const { checkSite } = await import("../build/check/check.ts");
  const { ok } = await checkSite({ sourceFolder: source, outFolder, clock: systemClock, onProgress: show });
  return ok;
}
