/**
 * Machines of a network of our own: a network namespace for each, and a cable for each pair that may speak. "here" is the test's own
 * machine. All names are of this process, so that tests that run at the same time do not meet. As root on Linux alone.
 */
import { spawnSync } from "node:child_process";

export interface Network {
  /** Words before a command that is to run on a machine. */
  readonly enter: (name: string) => readonly string[];
  /** Where a machine is for another one. */
  readonly at: (name: string, from: string) => string;
  /** Pulls all cables of a machine: nobody is told anything. */
  readonly unplug: (name: string) => void;
  /** Ends all that runs on a machine, by SIGKILL. */
  readonly kill: (name: string) => void;
  readonly end: () => void;
}

const ip = (...words: readonly string[]) => spawnSync("ip", words, { encoding: "utf8", timeout: 30_000 });
const spaceOf = (name: string): string => `pico-${name}-${process.pid}`;

/** Whether machines can be made here. */
export function canConnect(): boolean {
  if (process.getuid?.() !== 0) return false;
  const tried = spaceOf("try");
  const end = `pt${process.pid}`;
  const isMade =
    ip("netns", "add", tried).status === 0 &&
    ip("link", "add", end, "type", "veth", "peer", "name", `${end}b`, "netns", tried).status === 0;
  ip("netns", "del", tried);
  return isMade;
}

export function openNetwork(
  names: readonly string[],
  cables: readonly (readonly [string, string])[],
): Network {
  const surely = (...words: readonly string[]): void => {
    const { status, stderr } = ip(...words);
    if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
  };
  const inside = (name: string, ...words: readonly string[]): void =>
    surely(...(name === "here" ? [] : ["-n", spaceOf(name)]), ...words);
  const device = (cable: number, end: number): string => `p${process.pid}x${cable}${"ab"[end]}`;
  const number = (cable: number, end: number): string =>
    `10.${64 + ((process.pid >> 8) & 63)}.${process.pid & 255}.${4 * cable + 1 + end}`;
  const enter = (name: string): readonly string[] => ["ip", "netns", "exec", spaceOf(name)];
  const kill = (name: string): void => {
    for (const pid of ip("netns", "pids", spaceOf(name)).stdout.split("\n").filter(Boolean))
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It ended by itself, or with another one.
      }
  };
  const end = (): void => {
    for (const name of names) kill(name);
    // A space whose cables were pulled lives on as long as its kernel tries to say goodbye, and would keep the cables.
    for (const [cable, [name]] of cables.entries())
      ip(...(name === "here" ? [] : ["-n", spaceOf(name)]), "link", "del", device(cable, 0));
    for (const name of names) ip("netns", "del", spaceOf(name));
  };
  try {
    for (const name of names) {
      surely("netns", "add", spaceOf(name));
      inside(name, "link", "set", "lo", "up");
    }
    for (const [cable, ends] of cables.entries()) {
      surely("link", "add", device(cable, 0), "type", "veth", "peer", "name", device(cable, 1));
      for (const [which, name] of ends.entries()) {
        const own = device(cable, which);
        if (name !== "here") surely("link", "set", own, "netns", spaceOf(name));
        inside(name, "addr", "add", `${number(cable, which)}/30`, "dev", own);
        inside(name, "link", "set", own, "up");
      }
    }
  } catch (cause) {
    end();
    throw cause;
  }
  return {
    enter,
    kill,
    end,
    at: (name, from) => {
      const cable = cables.findIndex((ends) => ends.includes(name) && ends.includes(from));
      return number(cable, cables[cable]?.indexOf(name) ?? 0);
    },
    unplug: (name) => {
      for (const [cable, ends] of cables.entries())
        if (ends.includes(name)) inside(name, "link", "set", device(cable, ends.indexOf(name)), "down");
    },
  };
}
