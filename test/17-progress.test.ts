// Goal of this test: whoever waits for a command sees what it does, and nobody else; the stages of a build are told with
// their times.
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { makeStages } from "../build/stages.ts";
import { describeStages } from "../cli/profile.ts";
import { makeProgress } from "../cli/progress.ts";

function makeTerminal(isTTY: boolean): { readonly said: string[]; readonly stream: NodeJS.WriteStream } {
  const said: string[] = [];
  const stream = { isTTY, columns: 20, write: (text: string) => said.push(text) > 0 };
  return { said, stream: stream as unknown as NodeJS.WriteStream };
}

it("progress is shown on a terminal to those who wait, in one line, and is gone at the end", async () => {
  const { said, stream } = makeTerminal(true);
  const progress = makeProgress(true, stream);
  progress.show("at once");
  progress.clear();
  expect(said).toEqual([]);
  await wait(450);
  progress.show("reading pages: 64 of 10000");
  progress.show("too soon to be read");
  progress.clear();
  expect(said).toEqual(["\r\x1b[Kreading pages: 64 o", "\r\x1b[K"]);
});

it.each([
  ["on anything but a terminal", true, false],
  ["where it is not wanted", false, true],
] as const)("progress is silent %s", async (_, isWanted, isTTY) => {
  const { said, stream } = makeTerminal(isTTY);
  const progress = makeProgress(isWanted, stream);
  await wait(450);
  progress.show("reading pages");
  progress.clear();
  expect(said).toEqual([]);
});

it("stages are told when they begin and now and then, and have all the time there was", async () => {
  const told: (readonly [string, number, number])[] = [];
  const stages = makeStages((...about) => told.push(about));
  stages.begin("reading", 130);
  for (let count = 0; count < 130; count += 1) stages.step();
  await wait(20);
  stages.begin("writing");
  stages.begin("reading");
  const [reading, writing, ...others] = stages.end();
  expect(told).toEqual([
    ["reading", 0, 130],
    ["reading", 64, 130],
    ["reading", 128, 130],
    ["writing", 0, 0],
    ["reading", 0, 0],
  ]);
  expect([reading?.name, writing?.name, others]).toEqual(["reading", "writing", []]);
  expect(reading?.ms).toBeGreaterThan(15);
});

it("the table of stages has the share of each and the whole", () => {
  const stages = [
    { name: "starting", ms: 100.4 },
    { name: "reading pages", ms: 1000.2 },
  ];
  expect(describeStages(stages)).toEqual([
    "starting        100 ms    9 %",
    "reading pages  1000 ms   91 %",
    "all            1101 ms  100 %",
  ]);
});
