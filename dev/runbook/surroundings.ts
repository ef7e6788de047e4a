/**
 * What lies outside of the two machines, and is stood in for in the trial: an authority (pebble), Stripe (the project's own stand-in, on
 * loopback of the host), and where npm finds the driver's headers. Everything else is Debian's. Called by main.ts.
 */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";

export const siteName = "storage.example.com";
const stripePort = 4242;
export const stripeKey = "sk_test_runbook";
export const webhookSecret = "whsec_runbook";

/** npm of this machine leads to a registry; the driver's code is compiled with Debian's headers of Node where no ready one can be had. */
export function prepareNpm({ root, run }: Machine): void {
  const own = join(homedir(), ".npmrc");
  if (existsSync(own)) copyFileSync(own, join(root, "root/.npmrc"));
  // Whom this machine believes, the new one does.
  copyFileSync("/etc/ssl/certs/ca-certificates.crt", join(root, "root/believed.crt"));
  const { status, said } = run(`apt-get update -q
apt-get install -qy --no-install-recommends ca-certificates build-essential python3 libnode-dev
printf 'nodedir=/usr\ncafile=/root/believed.crt\n' >> .npmrc`);
  if (status !== 0) throw new Error(said);
}

/** certbot of the host asks pebble on the host, which knows it by its name. */
export function startAuthority({ run }: Machine): void {
  const { status, said } = run(`apt-get install -qy --no-install-recommends pebble openssl
mkdir -p /opt/authority && cd /opt/authority
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat > pebble.json <<'END'
{ "pebble": { "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "cert.pem",
  "privateKey": "key.pem", "httpPort": 80, "tlsPort": 443, "certificateValidityPeriod": 7776000 } }
END
systemd-run --unit=authority --working-directory=/opt/authority --setenv=PEBBLE_VA_NOSLEEP=1 pebble -config pebble.json
mkdir -p /root/.config/letsencrypt
echo 'server = https://localhost:14000/dir' > /root/.config/letsencrypt/cli.ini
echo 'no-verify-ssl = true' >> /root/.config/letsencrypt/cli.ini`);
  if (status !== 0) throw new Error(said);
}

const installed = "/usr/local/lib/node_modules/picodollar/out/dev/runbook";

/** Stripe on the host's loopback; programs go there by the one secret that no host has, put in by hand. */
export function startStandIn({ root, run }: Machine): void {
  mkdirSync(join(root, installed), { recursive: true });
  copyFileSync(fileURLToPath(new URL("standin.js", import.meta.url)), join(root, installed, "standin.js"));
  const words = [stripePort, stripeKey, webhookSecret, `https://${siteName}/account/stripe-webhook.cgi`];
  const { status, said } = run(
    `systemd-run --unit=stripe --setenv=NODE_TLS_REJECT_UNAUTHORIZED=0 node ${installed}/standin.js ${words.join(" ")}`,
  );
  if (status !== 0) throw new Error(said);
}

/** After each sharing out of secrets. */
export const leadToStandIn = `for one in programs jobs; do echo 'stripe_api = http://127.0.0.1:${stripePort}' >> /srv/site/keys/$one; done`;
