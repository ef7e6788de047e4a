/** How what was found on a host is told, by `site config check` and `site doctor`. */
import type { Finding } from "../build/host/check.ts";

/** What is wrong goes to standard error, and comes last, where it is seen. */
export function sayFindings(found: readonly Finding[], isJson: boolean): void {
  if (isJson) {
    console.log(JSON.stringify(found));
    return;
  }
  const line = ({ what, state, detail }: Finding): string =>
    `${state.padEnd(7)}  ${what}${detail === "" ? "" : `: ${detail}`}`;
  for (const finding of found) if (finding.state !== "wrong") console.log(line(finding));
  for (const finding of found) if (finding.state === "wrong") console.error(line(finding));
}
