/**
 * Text for the operator's terminal: what customers typed, or a file holds, must not move its cursor, rename its window, pass for a line
 * of ours, or turn a line round. Called by jobs/run.ts, by which every job speaks.
 */

/** Control characters, ends of lines, and what turns the direction of writing; of them JSON knows the same escapes. */
const harmful = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line as it may be shown, `\u001b` for an escape. */
export function disarm(line: string): string {
  return line.replace(harmful, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
