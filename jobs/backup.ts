/**
 * A copy of the books that is opened again and proved right before it counts, sealed for a key that is kept elsewhere, sent to another
 * machine, and kept by a schedule. Programs go on writing meanwhile. Each run is whole or leaves nothing.
 */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseOld, nameBackup, proveCopy, sealFile, sendFile } from "../lib/staff/backup.ts";
import { copyBooks } from "../lib/store/copy.ts";
import { withSlot } from "../lib/store/slot.ts";
import type { Job, JobContext } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  run: async (context, { words }) => {
    if (words.length > 0) return "misused";
    const { dataFolder } = context.place;
    const { addonFile } = context.database;
    const slot = { folder: dataFolder, name: "backup", count: 1, waitMs: 1000, addonFile };
    await withSlot(slot, () => backUp(context, join(dataFolder, "backups")));
    return "done";
  },
};

async function backUp(context: JobContext, folder: string): Promise<void> {
  const { settings, clock } = context;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = nameBackup(clock.now(), settings.backup);
  const file = join(folder, name);
  let proof: string;
  try {
    // What a run before left that died is in nobody's way.
    clear(folder);
    proof = await makeOne(context, file);
  } finally {
    clear(folder);
  }
  const old = chooseOld(readdirSync(folder), settings.backup);
  for (const one of old) rmSync(join(folder, one));
  const how = settings.backup.seal === "none" ? "not sealed" : `sealed with ${settings.backup.seal}`;
  context.say(
    `backup: ${name}, ${statSync(file).size} bytes, ${proof}, ${how}; ${old.length} old ones removed`,
  );
  if (settings.backup.copy.length === 0)
    return context.say(
      "backup: kept on this machine alone; say in etc/site.yaml how it is copied to another one",
    );
  sendFile(file, settings.backup);
  context.say(`backup: sent by ${settings.backup.copy[0]}`);
}

/** Copied, proved, and sealed under a name that is no backup's; in place at the end. Gives what was proved. */
async function makeOne(context: JobContext, file: string): Promise<string> {
  const { backup } = context.settings;
  const [plain, sealed] = ["plain", "sealed"].map((step) => join(dirname(file), `.${step}`)) as [
    string,
    string,
  ];
  await copyBooks(context.database, plain);
  chmodSync(plain, 0o600);
  const options = { ...context.database, file: plain, postgres: undefined };
  const { transfers } = await proveCopy(
    options,
    "the copy is not right, and was thrown away",
    context.complain,
  );
  if (backup.seal === "none") renameSync(plain, file);
  else {
    sealFile(plain, sealed, backup);
    chmodSync(sealed, 0o600);
    renameSync(sealed, file);
  }
  return `${transfers} transfers proved`;
}

function clear(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.startsWith(".")))
    rmSync(join(folder, name), { force: true });
}
