// Goal of this test: no more processes than there are slots do the costly thing at once, none is forgotten, and a
// slot whose holder was killed is free again.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withSlot } from "../lib/store/slot.ts";
import { TryLater } from "../lib/util/failure.ts";
import { projectFolder } from "./support/served.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-slot-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that notes when it has the slot and when it gives it back; "hang" keeps it. */
function startWorker(work: "short" | "hang") {
  const script = `
    import { appendFileSync } from "node:fs";
    import { withSlot } from ${JSON.stringify(join(projectFolder, "out/lib/store/slot.js"))};
    const note = (what) => appendFileSync(${JSON.stringify(join(folder, "log"))}, what + "\\n");
    await withSlot({ folder: ${JSON.stringify(folder)}, name: "hashing", count: 1, waitMs: 15000 }, async () => {
      note("in");
      await new Promise((resolve) => setTimeout(resolve, ${work === "hang" ? 60_000 : 30}));
      note("out");
    });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  return { child, ended };
}

const lines = () => readFileSync(join(folder, "log"), "utf8").trim().split("\n");

describe("a slot", () => {
  it("is held by one process at a time, and everybody gets a turn", async () => {
    const workers = Array.from({ length: 6 }, () => startWorker("short"));
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(lines()).toEqual(Array.from({ length: 6 }, () => ["in", "out"]).flat());
  });

  it("is free again when its holder was killed", async () => {
    writeFileSync(join(folder, "log"), "");
    const { child, ended } = startWorker("hang");
    while (!lines().includes("in")) await new Promise((resolve) => setTimeout(resolve, 20));
    const slots = { folder, name: "hashing", count: 1, waitMs: 50 };
    await expect(withSlot(slots, async () => "mine")).rejects.toThrow(TryLater);
    child.kill("SIGKILL");
    await ended;
    expect(await withSlot(slots, async () => "mine")).toBe("mine");
  });

  it("is given back when the work fails", async () => {
    const slots = { folder, name: "hashing", count: 1, waitMs: 50 };
    await expect(withSlot(slots, async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await withSlot(slots, async () => 1)).toBe(1);
  });
});
