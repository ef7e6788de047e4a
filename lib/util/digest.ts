/** SHA-256 and comparison in constant time: the only hashing but for passwords. */
import { sha256 } from "@noble/hashes/sha2.js";
import { hasCrypto, loadCrypto } from "./crypto.ts";

/** Up to here a hash in JavaScript is done before Node's own is loaded. */
const shortBytes = 256;

export function sha256Hex(data: string | Uint8Array): string {
  if (hasCrypto() || data.length > shortBytes) return loadCrypto().hash("sha256", data, "hex");
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  return Buffer.from(sha256(bytes)).toString("hex");
}

/** The 32 bytes themselves, of parts that follow one another. */
export function sha256Of(...parts: readonly Uint8Array[]): Buffer {
  const digest = loadCrypto().createHash("sha256");
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
  const digest = loadCrypto().createHash("sha256");
  return { add: (text) => void digest.update(text), end: () => digest.digest("hex") };
}

/** Compares two secrets without telling by its time where they differ; unequal lengths are unequal. */
export function sameSecret(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [place, byte] of a.entries()) difference |= byte ^ (b[place] ?? 0);
  return difference === 0;
}
