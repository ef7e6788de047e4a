/**
 * The two kinds of broken world. A *refusal* (an expected no) is a returned value, and a *bug* is an assertion;
 * what is thrown on purpose is one of these, caught only at a front door (cgi/support/run, jobs/run, cli/site).
 */

/** Something outside is away for now: the same call may well succeed later. Exit code 111, HTTP 503. */
export class TryLater extends Error {
  override readonly name = "TryLater";
}

/** Nothing will change until a person acts. Exit code 100, HTTP 503 and a line in the error log. */
export class NeedsHuman extends Error {
  override readonly name = "NeedsHuman";
}

/** The expected no: `why` is a word a program can switch on, `detail` the sentence for a person. */
export interface Refusal<Why extends string> {
  readonly ok: false;
  readonly why: Why;
  readonly detail?: string;
}

export function refuse<const Why extends string>(why: Why, detail?: string): Refusal<Why> {
  return detail === undefined ? { ok: false, why } : { ok: false, why, detail };
}

/** States what must be true here; a false one is a bug of ours, never a customer's mistake. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** For the `default` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}

/** Whether an error is one of the operating system's with one of these codes ("ENOENT"). */
export function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
