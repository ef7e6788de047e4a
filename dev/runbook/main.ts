/**
 * `npm run runbook`: RUNBOOK.md followed to the letter on two fresh machines of Debian, the host and the desk: every block of lines in its
 * order, the first that fails ends it. Needs root, mmdebstrap, iproute2, and nftables; takes some minutes. After the third section a
 * stranger signs up and pays, and after each chore the site must still know it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runningMs } from "../../lib/util/clock.ts";
import { becomeCustomer } from "./customer.ts";
import { type Machine, makeArchive, need, openNetwork, startMachine } from "./machine.ts";
import {
  leadToStandIn,
  prepareNpm,
  siteName,
  startAuthority,
  startStandIn,
  stripeKey,
  webhookSecret,
} from "./surroundings.ts";

interface Block {
  readonly where: "host" | "desk";
  readonly heading: string;
  readonly lines: string;
}

const project = fileURLToPath(new URL("../../../", import.meta.url));

function readBlocks(): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  const text = readFileSync(join(project, "RUNBOOK.md"), "utf8");
  for (const [, title, where, lines = ""] of text.matchAll(/^#+ (.*)$|^```sh (host|desk)\n([\s\S]*?)^```$/gm))
    if (title !== undefined) heading = title;
    else blocks.push({ where: where as Block["where"], heading, lines });
  return blocks;
}

let customers = 0;

/** Stripe is stood in for as long as it takes, and no longer: nothing on the host is otherwise than the runbook leaves it. */
async function pay(host: Machine): Promise<string> {
  host.run(leadToStandIn);
  customers += 1;
  const seen = await becomeCustomer(host, `customer${customers}@example.com`);
  host.run("site secrets share");
  return seen;
}

/** What a doctor says of a machine whose clock is this one's: nobody in it may set it. */
function isClockAlone(said: string): boolean {
  const wrong = said.split("\n").filter((line) => line.startsWith("wrong"));
  return wrong.length === 1 && wrong[0]?.startsWith("wrong    clock") === true;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-runbook-"));
  const kept = join(tmpdir(), "picodollar-roots");
  mkdirSync(kept, { recursive: true });
  const startedMs = runningMs();
  const say = (what: string): void => {
    console.log(`${((runningMs() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${what}`);
  };
  say("making a root of Debian");
  const archive = makeArchive(kept, process.argv[2] ?? "trixie");
  const closeNetwork = openNetwork();
  const hosts = `10.77.0.2 ${siteName}\n`;
  const host = await startMachine({ folder, archive, name: "host", number: 2, hosts });
  const desk = await startMachine({ folder, archive, name: "desk", number: 3, hosts });
  try {
    const packed = need("npm", ["pack", "--silent", "--pack-destination", folder, project])
      .trim()
      .split("\n")
      .at(-1);
    for (const machine of [host, desk]) {
      need("cp", [join(folder, packed ?? ""), join(machine.root, "root")]);
      say(`${machine.name}: what npm needs here`);
      prepareNpm(machine);
    }
    say("host: an authority");
    startAuthority(host);
    say("desk: Node and the package, as on the host, and a key that the host lets in");
    const key = desk.run(`apt-get install -qy --no-install-recommends nodejs npm rsync
npm install --global --legacy-peer-deps ./picodollar-*.tgz
mkdir -p .ssh && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519
echo 'StrictHostKeyChecking accept-new' > .ssh/config`);
    if (key.status !== 0) throw new Error(key.said);
    for (const block of readBlocks()) {
      say(`${block.where}: ${block.heading}: ${block.lines.split("\n")[0]}`);
      const machine = block.where === "host" ? host : desk;
      // What a person would type instead of the dots.
      const typed = block.lines.replace("sk_test_...", stripeKey).replace("whsec_...", webhookSecret);
      const { status, said } = machine.run(typed);
      if (status !== 0 && !isClockAlone(said))
        throw new Error(`${block.heading}: ended with ${status}\n${block.lines}\n${said}`);
      if (block.lines.includes("apt-get install")) {
        need("cp", [join(desk.root, "root/.ssh/id_ed25519.pub"), join(host.root, "root/key.pub")]);
        host.run(
          "mkdir -p .ssh && chmod 700 .ssh && cat key.pub >> .ssh/authorized_keys; apt-get install -qy curl sqlite3; systemctl start ssh",
        );
        startStandIn(host);
      }
      if (/doctor|ledger|drill|tls sync --json|rollback/.test(block.lines)) console.log(said.trimEnd());
      if (/enable --now nftables|is-active site-pages\.socket/.test(block.lines)) {
        say(`a stranger pays ten dollars, and sees ${await pay(host)}`);
      }
    }
    say("host: logs are turned over, and written on");
    const turned = host.run(`logrotate --force /etc/logrotate.d/site
curl -sk -o /dev/null -H 'Host: ${siteName}' https://127.0.0.1/ && sleep 6
ls /srv/site/log && grep -c . /srv/site/log/access.log`);
    if (turned.status !== 0) throw new Error(turned.said);
    say(`and once more at the end: ${await pay(host)}`);
  } finally {
    host.end();
    desk.end();
    closeNetwork();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
