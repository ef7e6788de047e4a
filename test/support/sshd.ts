/** A real sshd on loopback, with keys of its own, for whoever runs the tests. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { isListening } from "./host.ts";
import { findPort } from "./served.ts";

const program = "/usr/sbin/sshd";

export const canLogIn = existsSync(program) && spawnSync("rsync", ["--version"]).status === 0;

export interface Sshd {
  /** "root@127.0.0.1". */
  readonly host: string;
  /** The command that logs in. */
  readonly ssh: string;
  readonly end: () => void;
}

export async function startSshd(folder: string): Promise<Sshd> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(folder, name);
  for (const name of ["host", "user"]) {
    const words = ["-q", "-t", "ed25519", "-N", "", "-f", at(name)];
    if (spawnSync("ssh-keygen", words).status !== 0) throw new Error("ssh-keygen makes no key");
  }
  const port = await findPort();
  writeFileSync(
    at("config"),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${at("host")}
AuthorizedKeysFile ${at("user.pub")}
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
`,
  );
  // Where it goes to be without rights; Debian's own unit makes it.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const child = spawn(program, ["-D", "-e", "-f", at("config")], { stdio: "ignore" });
  for (let tries = 0; !(await isListening(port)); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`sshd does not start: ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  writeFileSync(at("known"), `[127.0.0.1]:${port} ${readFileSync(at("host.pub"), "utf8")}`);
  const words = ["ssh", "-p", port, "-i", at("user"), "-o", `UserKnownHostsFile=${at("known")}`];
  return {
    host: `${userInfo().username}@127.0.0.1`,
    ssh: [...words, "-o", "BatchMode=yes"].join(" "),
    end: () => child.kill(),
  };
}
