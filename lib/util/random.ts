/** Secrets and opaque ids, from the operating system's generator. */
import { loadCrypto } from "./crypto.ts";

const randomBytes = (sizeBytes: number): Buffer => loadCrypto().randomBytes(sizeBytes);

/** A token of `sizeBytes` random bytes (32 unless told: 256 bits) in base64url. */
export function randomToken(sizeBytes = 32): string {
  return randomBytes(sizeBytes).toString("base64url");
}

export function randomBuffer(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

// RFC 4648 base32 in lower case: no 0, 1, 8, 9, so an id read over the telephone is not mistaken.
const base32 = "abcdefghijklmnopqrstuvwxyz234567";

/** `prefix` and 16 characters of base32: 80 random bits, for ids that are named but are no secrets. */
export function randomId(prefix: string): string {
  return prefix + randomLetters(16);
}

/** So many characters of base32, 5 random bits each. */
export function randomLetters(count: number): string {
  return [...randomBytes(count)].map((byte) => base32.charAt(byte & 31)).join("");
}
