/** `site build --profile`: how long each stage took, as a table. */
import type { Stage } from "../build/build.ts";

/** "reading pages       1024 ms  47 %"; the whole in the last line. */
export function describeStages(stages: readonly Stage[]): readonly string[] {
  const wholeMs = stages.reduce((sum, { ms }) => sum + ms, 0);
  const rows = [...stages, { name: "all", ms: wholeMs }];
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const msWidth = Math.max(...rows.map(({ ms }) => ms.toFixed(0).length));
  return rows.map(({ name, ms }) => {
    const share = wholeMs === 0 ? 0 : (100 * ms) / wholeMs;
    return `${name.padEnd(nameWidth)}  ${ms.toFixed(0).padStart(msWidth)} ms  ${share.toFixed(0).padStart(3)} %`;
  });
}
