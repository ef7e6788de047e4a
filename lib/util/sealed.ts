/**
 * Small secrets in the database, sealed with a key that is not: AES-256-GCM, bound to what they are of, so that a row moved to
 * another account does not open (OWASP ASVS 5.0 11.3.2, 13.3.1). `v1.NONCE.SECRET.TAG` in base64url.
 */
import { loadCrypto } from "./crypto.ts";
import { assert, NeedsHuman } from "./failure.ts";
import { randomBuffer } from "./random.ts";

/** One key, or two while one takes the other's place: the first seals, both open. */
export type SealKeys = readonly string[];

const cipher = "aes-256-gcm";

/** @throws NeedsHuman if the key is not one */
export function sealText(text: string, about: string, keys: SealKeys): string {
  const [key] = keys;
  assert(key !== undefined, "what is sealed has a key");
  const nonce = randomBuffer(12);
  const sealing = loadCrypto().createCipheriv(cipher, readKey(key), nonce).setAAD(Buffer.from(about));
  const secret = Buffer.concat([sealing.update(text, "utf8"), sealing.final()]);
  const parts = [nonce, secret, sealing.getAuthTag()].map((part) => part.toString("base64url"));
  return ["v1", ...parts].join(".");
}

/** @throws NeedsHuman if no key opens it: it was sealed with another one, or about something else, or was changed */
export function openSealed(sealed: string, about: string, keys: SealKeys): string {
  for (const key of keys) {
    const text = tryKey(sealed, about, readKey(key));
    if (text !== undefined) return text;
  }
  throw new NeedsHuman(
    `account_key in the secrets file does not open what was sealed about ${about}; put back the key of then, as account_key_old if there is a newer one`,
  );
}

function tryKey(sealed: string, about: string, key: Buffer): string | undefined {
  const [version, nonce = "", secret = "", tag = ""] = sealed.split(".");
  assert(version === "v1", "a sealed text is of version 1");
  const size = { authTagLength: 16 };
  const opening = loadCrypto().createDecipheriv(cipher, key, Buffer.from(nonce, "base64url"), size);
  try {
    opening.setAAD(Buffer.from(about)).setAuthTag(Buffer.from(tag, "base64url"));
    return Buffer.concat([opening.update(Buffer.from(secret, "base64url")), opening.final()]).toString();
  } catch {
    // What does not open says nothing of why.
    return undefined;
  }
}

function readKey(text: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new NeedsHuman(
      "account_key in the secrets file must be 64 hexadecimal digits; make one: openssl rand -hex 32",
    );
  return Buffer.from(text, "hex");
}
