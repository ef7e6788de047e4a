/**
 * Which new passwords are accepted (NIST SP 800-63B-4 and OWASP ASVS 5.0, 6.2): long ones, whatever they are made of, but for
 * what is known to be tried first. A refusal says why. Nothing leaves this machine: the list of common and breached
 * passwords, 49,233 of them, comes with the product.
 */
import { type Refusal, refuse } from "../util/failure.ts";

/** What a password must not be made of: the address it is for, and the names of the site. */
export interface PasswordContext {
  readonly email: string;
  /** The site's name and its base URL. */
  readonly site: { readonly name: string; readonly url: string };
  /** With a second factor on, eight characters do. */
  readonly hasFactor: boolean;
}

type Unfit = Refusal<"too-short" | "too-long" | "too-simple" | "is-address" | "is-name" | "is-common">;

const longestBytes = 1024;
const shortest = { alone: 15, withFactor: 8 } as const;

/** Characters, as people count them: code points, in the form that is hashed. */
export function isLongAlone(password: string): boolean {
  return [...password.normalize("NFKC")].length >= shortest.alone;
}

/** Judges a new password. The list is loaded on the first call, which takes some 30 ms. */
export async function judgePassword(
  password: string,
  { email, site, hasFactor }: PasswordContext,
): Promise<{ readonly ok: true } | Unfit> {
  const characters = [...password.normalize("NFKC")];
  const least = hasFactor ? shortest.withFactor : shortest.alone;
  if (characters.length < least)
    return refuse("too-short", `A password has ${least} characters or more; three or four words do well.`);
  if (Buffer.byteLength(password) > longestBytes)
    return refuse("too-long", `A password has at most ${longestBytes} bytes.`);
  if (new Set(characters).size < 5)
    return refuse(
      "too-simple",
      "The password repeats too few different characters; three or four words do well.",
    );
  const plain = characters.join("").toLowerCase();
  if (plain.includes(email)) return refuse("is-address", "The password must not hold your address.");
  if (isMadeOf(plain, [email.split("@")[0] ?? "", site.name, new URL(site.url).hostname.split(".")[0] ?? ""]))
    return refuse("is-name", "The password is little more than your name or ours; it would be tried early.");
  if (await isCommon(plain))
    return refuse(
      "is-common",
      "The password, or nearly this one, is on a list of common and stolen passwords; it would be tried early.",
    );
  return { ok: true };
}

/** Whether fewer than eight characters are left when names are taken out. */
function isMadeOf(plain: string, names: readonly string[]): boolean {
  const known = names.map((name) => name.toLowerCase()).filter((name) => name.length >= 4);
  const left = known.reduce((text, name) => text.replaceAll(name, ""), plain);
  return left !== plain && [...left].length < 8;
}

/** On the list as it is, again and again, or with no letters before and after it ("password!2026"). */
async function isCommon(plain: string): Promise<boolean> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  const listed = new Set<string>(dictionary["passwords-common"]);
  const core = plain.replace(/^\P{L}+|\P{L}+$/gu, "");
  // The first that is there twice in a row from the start: "abcabc" is found in itself, three characters on.
  const period = `${plain}${plain}`.indexOf(plain, 1);
  const candidates = [plain, core, plain.slice(0, period), plain.replaceAll(/\s+/g, "")];
  // Short words are parts of everything; what is short and alone was refused for its length.
  return candidates.some((candidate) => candidate.length >= 4 && listed.has(candidate));
}
