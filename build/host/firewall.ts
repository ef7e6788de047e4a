/**
 * Rules of nftables for a host: the ports of the site and of whoever keeps it are open, all others closed. Of one address only so many
 * connections may be open at once, so that one client cannot have all that hitch and lighttpd take.
 */
import type { HostFacts } from "./host.ts";

/** A browser opens six at most; many may sit behind one address. */
const connectionsOfOne = 100;

export function writeFirewall({ cluster }: HostFacts): string {
  const { home, httpPort, httpsPort, sshPort } = cluster;
  const web = `{ ${[httpPort, httpsPort].join(", ")} }`;
  return `# Made by site build from etc/: nft -f ${home}/dist/current/etc/nftables.conf
# A table of its own, made anew as one: it neither keeps nor touches what others made.
table inet site
delete table inet site
table inet site {
  set busy4 {
    type ipv4_addr
    flags dynamic
    size 65536
  }
  set busy6 {
    type ipv6_addr
    flags dynamic
    size 65536
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
    iif lo accept
    meta l4proto { icmp, icmpv6 } accept
    ip6 saddr fe80::/10 udp dport 546 accept
    tcp dport ${sshPort} accept
    tcp dport ${web} ct state new add @busy4 { ip saddr ct count over ${connectionsOfOne} } reject with tcp reset
    tcp dport ${web} ct state new add @busy6 { ip6 saddr and ffff:ffff:ffff:ffff:: ct count over ${connectionsOfOne} } reject with tcp reset
    tcp dport ${web} accept
  }
}
`;
}
