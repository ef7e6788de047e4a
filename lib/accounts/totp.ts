/** Codes of authenticator apps: TOTP as all of them have it (RFC 6238: SHA-1, 6 digits, 30 seconds). */
import { Secret, TOTP } from "otpauth";
import { randomBuffer } from "../util/random.ts";

const periodSeconds = 30;

/** 160 random bits (RFC 4226 section 4) in base32. */
export function makeTotpSecret(): string {
  return new Secret({ buffer: Uint8Array.from(randomBuffer(20)).buffer }).base32;
}

/** What an app reads from the picture: otpauth://totp/... */
export function totpAddress(secret: string, { issuer, email }: { issuer: string; email: string }): string {
  return totpOf(secret, issuer, email).toString();
}

/**
 * The 30 seconds that a code is of, counted since 1970; undefined for a wrong one. The ones before and after count too: clocks
 * of telephones go wrong.
 */
export function findTotpStep(secret: string, code: string, nowMs: number): number | undefined {
  const delta = totpOf(secret, "", "").validate({ token: code, timestamp: nowMs, window: 1 });
  return delta === null ? undefined : Math.floor(nowMs / 1000 / periodSeconds) + delta;
}

function totpOf(secret: string, issuer: string, label: string): TOTP {
  return new TOTP({
    issuer,
    label,
    secret: Secret.fromBase32(secret),
    algorithm: "SHA1",
    digits: 6,
    period: periodSeconds,
  });
}
