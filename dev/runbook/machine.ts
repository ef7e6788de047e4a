/**
 * Fresh Debian machines on this one, for the trial of RUNBOOK.md: a root that mmdebstrap makes, booted with its own systemd in namespaces of
 * its own (mounts, processes, names, network), on a network of their own that leads out by this machine. Needs root. Called by main.ts.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const net = "10.77.0";
const bridge = "runbook0";

export interface Ran {
  readonly status: number | null;
  readonly said: string;
}

export interface Machine {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  /** Runs lines of a shell on it, as root, in order; ends at the first that fails. `from`: the folder, "/root" unless told. */
  readonly run: (lines: string, from?: string) => Ran;
  readonly end: () => void;
}

/** @throws Error with what the program said, where it fails */
export function need(program: string, words: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8", input });
  if (status === 0) return stdout;
  throw new Error(`${program} ${words.join(" ")}: ${error?.message ?? stderr}`);
}

/** The archive of a root, made once: `suite` of Debian with systemd and what it takes to log in. */
export function makeArchive(folder: string, suite: string): string {
  const file = join(folder, `${suite}.tar`);
  if (existsSync(file)) return file;
  const include = "--include=systemd,systemd-sysv,dbus,iproute2,adduser,openssh-client";
  need("mmdebstrap", [
    "--variant=minbase",
    "--format=tar",
    include,
    suite,
    `${file}.new`,
    "http://deb.debian.org/debian",
  ]);
  need("mv", [`${file}.new`, file]);
  return file;
}

export function openNetwork(): () => void {
  const close = (): void => {
    spawnSync("ip", ["link", "del", bridge]);
    spawnSync("nft", ["delete", "table", "ip", bridge]);
  };
  close();
  need("ip", ["link", "add", bridge, "type", "bridge"]);
  need("ip", ["addr", "add", `${net}.1/24`, "dev", bridge]);
  need("ip", ["link", "set", bridge, "up"]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  const rules = `table ip ${bridge} {
  chain out {
    type nat hook postrouting priority srcnat;
    ip saddr ${net}.0/24 oifname != "${bridge}" masquerade
  }
}
`;
  need("nft", ["-f", "-"], rules);
  return close;
}

/** What process 1 is started by: mounts as a machine has them, and its own root. */
const boot = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for one in null zero full random urandom tty; do touch dev/$one; mount --bind /dev/$one dev/$one; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
pivot_root . mnt
umount -l /mnt
hostname "$2"
ip link set lo up
exec env -i container=other PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --log-target=null
`;

export async function startMachine(options: {
  readonly folder: string;
  readonly archive: string;
  readonly name: string;
  /** The last part of its address. */
  readonly number: number;
  /** Lines of its /etc/hosts. */
  readonly hosts: string;
}): Promise<Machine> {
  const { folder, archive, name, number, hosts } = options;
  const root = join(folder, name);
  mkdirSync(root);
  need("tar", ["-xf", archive, "-C", root]);
  need("cp", ["/etc/resolv.conf", join(root, "etc/resolv.conf")]);
  writeFileSync(join(root, "etc/hosts"), `127.0.0.1 localhost ${name}\n${hosts}`);
  const [space, outer] = [`runbook-${name}`, `rb-${name}`];
  spawnSync("ip", ["netns", "del", space]);
  need("ip", ["netns", "add", space]);
  need("ip", ["link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space]);
  need("ip", ["link", "set", outer, "master", bridge, "up"]);
  const inside = (...words: readonly string[]): string =>
    need("ip", ["netns", "exec", space, "ip", ...words]);
  inside("addr", "add", `${net}.${number}/24`, "dev", "eth0");
  inside("link", "set", "eth0", "up");
  inside("route", "add", "default", "via", `${net}.1`);
  const apart = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--cgroup"];
  const words = ["netns", "exec", space, "unshare", ...apart, "bash", "-c", boot, "boot", root, name];
  const child = spawn("ip", words, { stdio: "ignore" });
  const pid = await findInit(child);
  const run: Machine["run"] = (lines, from = "/root") => {
    const enter = ["-t", String(pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root"];
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const clean = [
      "env",
      "-i",
      "HOME=/root",
      "TERM=dumb",
      "LANG=C.UTF-8",
      "DEBIAN_FRONTEND=noninteractive",
      path,
    ];
    // A shell that is typed into goes on after a fault; here it ends.
    const script = `set -e -o pipefail\ncd ${from}\n${lines}`;
    const { status, stdout, stderr } = spawnSync(
      "nsenter",
      [...enter, "--wdns=/", ...clean, "bash", "-c", script],
      {
        encoding: "utf8",
        input: "",
        cwd: "/",
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return { status, said: `${stdout}${stderr}` };
  };
  for (let tries = 0; !/running|degraded/.test(run("systemctl is-system-running || true").said); tries += 1) {
    if (tries > 60) throw new Error(`${name} does not start`);
    await wait(500);
  }
  const end = (): void => {
    child.kill("SIGKILL");
    spawnSync("ip", ["netns", "del", space]);
    rmSync(root, { recursive: true, force: true });
  };
  return { name, address: `${net}.${number}`, root, run, end };
}

/** The process that became systemd, below the one that was started. */
async function findInit({ pid = 0 }: ChildProcess): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = listBelow(pid).find((one) => commandOf(one).startsWith("/lib/systemd/systemd"));
    if (found !== undefined) return found;
    await wait(100);
  }
  throw new Error("systemd was not started");
}

function listBelow(pid: number): readonly number[] {
  const own = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => parentOf(one) === pid);
  return own.flatMap((one) => [one, ...listBelow(one)]);
}

function parentOf(pid: number): number {
  const [, parent = "0"] = /^PPid:\s+(\d+)/m.exec(readProc(pid, "status")) ?? [];
  return Number(parent);
}

const commandOf = (pid: number): string => readProc(pid, "cmdline").replaceAll("\0", " ");

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    // It has ended.
    return "";
  }
}
