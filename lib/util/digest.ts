/** SHA-256 and comparison in constant time: the only hashing but for passwords. */
import { createHash, hash, timingSafeEqual } from "node:crypto";

export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

/** The 32 bytes themselves, of parts that follow one another. */
export function sha256Of(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return digest.digest();
}

export interface Digest {
  readonly add: (text: string) => void;
  /** SHA-256 of all that was added, in hexadecimal; ends it. */
  readonly end: () => string;
}

/** For what is too long to be held. */
export function openDigest(): Digest {
  const digest = createHash("sha256");
  return { add: (text) => void digest.update(text), end: () => digest.digest("hex") };
}

/** Compares two secrets without telling by its time where they differ; unequal lengths are unequal. */
export function sameSecret(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
