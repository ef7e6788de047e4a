/**
 * Which addresses are accepted, and their one canonical form, by which an address is known (uniqueness, login,
 * usage files). Rules (OWASP ASVS 5.0 2.1.1 asks that they are written down): at most 254 bytes; local part of
 * 1 to 64 characters from RFC 5322's atext and single dots, no quotes, no comments; a domain of at least two
 * labels, IDN turned into its ASCII form; +tags are kept; all lower case.
 */
import { domainToASCII } from "node:url";

export type Email = string & { readonly brand: "Email" };

const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const domainLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The canonical form of an address as typed (surrounding blanks ignored); undefined if it is not accepted. */
export function parseEmail(text: string): Email | undefined {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf("@");
  const local = trimmed.slice(0, at).toLowerCase();
  if (at < 1 || local.length > 64 || !localPart.test(local)) return undefined;
  const typed = trimmed.slice(at + 1);
  // Without this, "a@b.example/x" would be read as an address with a path.
  if (/[\s/\\:?#@%[\]]/.test(typed)) return undefined;
  const domain = domainToASCII(typed).toLowerCase();
  const labels = domain.split(".");
  if (labels.length < 2 || !labels.every((label) => domainLabel.test(label))) return undefined;
  // An IPv4 address is not a mail domain; a top-level domain is never all digits (RFC 3696 section 2).
  if (/^\d+$/.test(labels.at(-1) ?? "")) return undefined;
  const email = `${local}@${domain}`;
  return Buffer.byteLength(email) > 254 ? undefined : (email as Email);
}
