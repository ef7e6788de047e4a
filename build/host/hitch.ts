/** Configuration of hitch 1.7: it ends TLS, and tells the front by the PROXY protocol who the client is. */
import type { HostFacts } from "./host.ts";

export function writeHitch({ cluster }: HostFacts): string {
  const { home, address, httpsPort, pemFile, users } = cluster;
  const at = address === "0.0.0.0" ? "*" : address;
  return `# Made by site build from etc/: hitch --config=${home}/dist/current/etc/hitch.conf
frontend = "[${at}]:${httpsPort}"
backend = "${home}/run/tls.sock"
write-proxy-v2 = on
proxy-tlv = on
pem-file = "${pemFile}"
tls-protos = TLSv1.2 TLSv1.3
alpn-protos = "h2, http/1.1"
ocsp-dir = ""
daemon = off
user = "${users.hitch}"
group = "${users.web}"
`;
}
