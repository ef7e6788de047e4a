/** Reading a text file: it is UTF-8, or the line that is not is told. Called for every source that is text. */
import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";

/** Words with single spaces between them: in no language of ours can they mean anything else, which takes no time to see. */
export const plainWords = /^(?:[A-Za-z0-9]+ )*[A-Za-z0-9]+$/;

export function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/** Of pipes, sockets, and devices. */
export const noFile = "this is neither a file nor a folder; delete it";

/** The text without a byte order mark; where it is not UTF-8, or holds a NUL, what is wrong in which line. */
export function readUtf8(file: string): string | { readonly line: number; readonly message: string } {
  let bytes: Buffer;
  try {
    // A named pipe would be waited for, and a device may never end.
    const stats = statSync(file);
    if (!stats.isFile() && !stats.isDirectory()) return { line: 0, message: noFile };
    bytes = readFileSync(file);
  } catch (error) {
    return { line: 0, message: explainUnreadable(error) };
  }
  return decodeUtf8(bytes);
}

/** The same of bytes that were read. */
export function decodeUtf8(bytes: Buffer): string | { readonly line: number; readonly message: string } {
  const text = bytes.toString("utf8");
  const wrong = isUtf8(bytes) ? text.indexOf("\0") : text.indexOf("\ufffd");
  if (wrong < 0 && isUtf8(bytes)) return text.startsWith("\ufeff") ? text.slice(1) : text;
  const line = text.slice(0, Math.max(wrong, 0)).split("\n").length;
  return { line, message: "this line is not UTF-8 text; save the file as UTF-8" };
}

/**
 * Why a source cannot be read, as the site's owner can mend it.
 * @throws what is no fault of the sources
 */
export function explainUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    EACCES: "cannot be read; give yourself permission to read it",
    EPERM: "cannot be read; give yourself permission to read it",
    EISDIR: "this is a folder; a file is wanted here",
    ENOTDIR: "this is a file; a folder is wanted here",
    ENOENT: "this link leads nowhere; delete it or put the file in its place",
    ELOOP: "this link leads to itself; delete it or put the file in its place",
  };
  const message = known[code];
  if (message === undefined) throw error;
  return message;
}

/** Of JavaScript, templates' code or data: in both a character may stand by its number. */
export function toAscii(code: string): Buffer {
  const plain = code.replace(
    /[^\x20-\x7e\n\t]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return Buffer.from(plain, "latin1");
}
