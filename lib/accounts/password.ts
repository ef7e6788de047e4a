/**
 * Passwords and how they are kept; strength.ts says which are accepted. scrypt at N=2^17, r=8, p=1 (OWASP ASVS 5.0 11.4.2 and
 * appendix C): 128 MiB and about a second each, so hashing never happens inside a transaction. Parameters
 * stand beside the hash, `scrypt$17$8$1$SALT$HASH`, so that they can be raised later.
 */
import { loadCrypto } from "../util/crypto.ts";
import { assert } from "../util/failure.ts";
import { randomBuffer } from "../util/random.ts";

/** log2 of scrypt's N, and r and p. */
export interface PasswordCost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** What production uses. */
export const standardCost: PasswordCost = { log2N: 17, r: 8, p: 1 };

const hashBytes = 32;
/** Hashes a new password with a salt of its own. Takes about a second. */
export async function hashPassword(password: string, cost: PasswordCost): Promise<string> {
  const salt = randomBuffer(32);
  const hash = await derive(password, salt, cost);
  const parameters = [cost.log2N, cost.r, cost.p].join("$");
  return `scrypt$${parameters}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

/**
 * Compares a password with a stored hash, in constant time. Where there is none (an unknown address, no password yet) a hash
 * is computed all the same, so that the time tells a stranger nothing, and the answer is false.
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
  cost: PasswordCost,
): Promise<boolean> {
  const known = stored === undefined || stored === "" ? undefined : parseHash(stored);
  const salt = known?.salt ?? Buffer.alloc(32);
  const hash = await derive(password, salt, known?.cost ?? cost);
  return known !== undefined && loadCrypto().timingSafeEqual(hash, known.hash);
}

/** Whether a stored hash was made at another cost than is asked for now: it is made anew at the next login. */
export function isOutdated(stored: string, cost: PasswordCost): boolean {
  const { log2N, r, p } = parseHash(stored).cost;
  return log2N !== cost.log2N || r !== cost.r || p !== cost.p;
}

function derive(password: string, salt: Uint8Array, cost: PasswordCost): Promise<Buffer> {
  const N = 2 ** cost.log2N;
  // scrypt needs 128 x N x r bytes; Node refuses more than 32 MiB unless told.
  const maxmem = 128 * N * cost.r + 1024 * 1024;
  return new Promise((resolve, reject) => {
    const options = { N, r: cost.r, p: cost.p, maxmem };
    loadCrypto().scrypt(password.normalize("NFKC"), salt, hashBytes, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function parseHash(stored: string): { cost: PasswordCost; salt: Buffer; hash: Buffer } {
  const [kind, log2N, r, p, salt, hash] = stored.split("$");
  assert(kind === "scrypt" && salt !== undefined && hash !== undefined, "a stored password hash is scrypt's");
  const key = Buffer.from(hash, "base64url");
  assert(key.length === hashBytes, "a stored password hash has 32 bytes");
  return {
    cost: { log2N: Number(log2N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64url"),
    hash: key,
  };
}
