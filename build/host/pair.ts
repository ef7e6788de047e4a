/** A key and its certificate in one text, as hitch reads them: whether they are good for a site. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

const dayMs = 86_400_000;
const smallestRsaBits = 2048;

interface Pair {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What makes it of no use, a line each. */
export function judgePair(text: string, host: string, now: number): readonly string[] {
  let pair: Pair;
  try {
    pair = { certificate: new X509Certificate(text), key: createPrivateKey(text) };
  } catch (error) {
    return [`it holds no key and certificate: ${error instanceof Error ? error.message : ""}`];
  }
  const { certificate, key } = pair;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? smallestRsaBits;
  const [from, until] = lifeOf(certificate);
  return [
    certificate.checkPrivateKey(key) ? "" : "the key is another certificate's",
    certificate.checkHost(host) === undefined ? `it is not for ${host}` : "",
    bits < smallestRsaBits ? `its key has ${bits} bits, and ${smallestRsaBits} are the least` : "",
    now < from || now >= until
      ? `it was good from ${certificate.validFrom} until ${certificate.validTo}`
      : "",
  ].filter((fault) => fault !== "");
}

/** Whether key and certificate are good by themselves, and not of each other. */
export function isTorn(text: string): boolean {
  try {
    return !new X509Certificate(text).checkPrivateKey(createPrivateKey(text));
  } catch {
    return false;
  }
}

/** Authorities' programs renew with a third left: what has less than a quarter was forgotten. */
export function judgeAge(text: string, now: number): readonly string[] {
  try {
    const [from, until] = lifeOf(new X509Certificate(text));
    const left = (until - now) / (until - from);
    const days = Math.floor((until - now) / dayMs);
    return left > 0 && left < 0.25 ? [`${days} days are left of it, less than a quarter; renew it`] : [];
  } catch {
    return [];
  }
}

export function serialOf(text: string): string {
  return new X509Certificate(text).serialNumber;
}

function lifeOf({ validFrom, validTo }: X509Certificate): readonly [number, number] {
  return [Date.parse(validFrom), Date.parse(validTo)];
}
