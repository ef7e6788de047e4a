/**
 * The way to a PostgreSQL server, as a UNIX socket in between that counts what a program asks, and does one harm at one of its
 * questions: cuts before it, cuts after the server has done it and before the answer comes, or does anything else meanwhile.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";

export interface Harm {
  /** The number of the question, from 1; or only the so-manieth COMMIT. */
  readonly at: number;
  readonly isCommit?: boolean;
  readonly how: "before" | "after";
  /** Done at the same moment, as the death of a server. */
  readonly besides?: () => void;
}

export interface Way {
  /** Where its socket is, for the address. */
  readonly folder: string;
  /** From now on; undefined for none. Counts from 1 again. */
  readonly plan: (harm: Harm | undefined) => void;
  /** How many questions there were since then, and how many of them were COMMIT. */
  readonly counts: () => { readonly questions: number; readonly commits: number };
  readonly wasHarmed: () => boolean;
  readonly end: () => void;
}

export async function openProxy(server: { readonly folder: string }): Promise<Way> {
  const folder = mkdtempSync("/tmp/pico-proxy-");
  let harm: Harm | undefined;
  let [questions, commits, harmed] = [0, 0, false];
  const listener = createServer((client) => {
    const target = createConnection(join(server.folder, ".s.PGSQL.5432"));
    const cut = (): void => {
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target] as readonly Socket[]) socket.on("error", cut).on("close", cut);
    let isDeaf = false;
    target.on("data", (data: Buffer) => {
      if (isDeaf) return cut();
      client.write(data);
    });
    let rest = Buffer.alloc(0);
    let isBegun = false;
    client.on("data", (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      for (;;) {
        const head = isBegun ? 1 : 0;
        if (rest.length < head + 4) return;
        const length = head + rest.readUInt32BE(head);
        if (rest.length < length) return;
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (isBegun && isQuestion(message)) {
          questions += 1;
          if (isCommit(message)) commits += 1;
          const here =
            harm?.isCommit === true ? isCommit(message) && commits === harm.at : questions === harm?.at;
          if (harm !== undefined && here && !harmed) {
            harmed = true;
            harm.besides?.();
            if (harm.how === "before") return cut();
            isDeaf = true;
          }
        }
        isBegun = true;
        target.write(message);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(join(folder, ".s.PGSQL.5432"), resolve));
  return {
    folder,
    plan: (next) => {
      harm = next;
      [questions, commits, harmed] = [0, 0, false];
    },
    counts: () => ({ questions, commits }),
    wasHarmed: () => harmed,
    end: () => {
      listener.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A simple query, or the end of an extended one. */
function isQuestion(message: Buffer): boolean {
  const type = String.fromCharCode(message[0] ?? 0);
  return type === "Q" || type === "S";
}

function isCommit(message: Buffer): boolean {
  return message.subarray(5).toString("latin1") === "COMMIT\0";
}
