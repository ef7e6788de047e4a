/**
 * Which network addresses may be asked: those of the public internet. A link in a page must not make the machine that
 * checks it talk to its own services or its neighbours (RFC 6890 and the IANA registries of special addresses).
 * Called by ask.ts.
 */
import { BlockList, isIP } from "node:net";

// An IPv4 address written as an IPv6 one (::ffff:127.0.0.1) is compared with the IPv4 ranges by Node itself.
const special = new BlockList();
for (const range of [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
]) {
  const [address = "", bits] = range.split("/");
  special.addSubnet(address, Number(bits), isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** True for addresses of this machine, of a private network, or with no one behind them. */
export function isPrivateAddress(address: string): boolean {
  const kind = isIP(address);
  return kind === 0 || special.check(address, kind === 6 ? "ipv6" : "ipv4");
}

/** The same for a host as URLs have it, where it is an address: "127.0.0.1", "[::1]", and names that mean it. */
export function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isIP(bare) !== 0) return isPrivateAddress(bare);
  return /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/i.test(bare);
}
