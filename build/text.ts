/** Reading a text file: it is UTF-8, or the line that is not is told. Called for every source that is text. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";

/** The text without a byte order mark; where it is not UTF-8, or holds a NUL, what is wrong in which line. */
export function readUtf8(file: string): string | { readonly line: number; readonly message: string } {
  const bytes = readFileSync(file);
  const text = bytes.toString("utf8");
  const wrong = isUtf8(bytes) ? text.indexOf("\0") : text.indexOf("\ufffd");
  if (wrong < 0 && isUtf8(bytes)) return text.startsWith("\ufeff") ? text.slice(1) : text;
  const line = text.slice(0, Math.max(wrong, 0)).split("\n").length;
  return { line, message: "this line is not UTF-8 text; save the file as UTF-8" };
}
