/** Calling an address after a good run, so that whoever watches it notices silence (healthchecks.io and the like). */

const limitMs = 10_000;

/** Returns what went wrong; undefined where the address answered 2xx. */
export async function callHeartbeat(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs), redirect: "follow" });
    await answer.arrayBuffer();
    return answer.ok ? undefined : `it answered ${answer.status}`;
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    return inner instanceof Error ? inner.message : String(inner);
  }
}
