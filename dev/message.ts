/**
 * Reads a mail file well enough for the development mailbox: what nodemailer writes for a plain text. Headers
 * with encoded words (RFC 2047), a body in 7bit, 8bit, quoted-printable, or base64.
 */

export interface Message {
  /** In the order of the file, decoded. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
}

export function readMessage(bytes: Uint8Array): Message {
  // Latin-1 keeps every byte as one character until the charset is known.
  const raw = Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n");
  const end = raw.indexOf("\n\n");
  const head = end < 0 ? raw : raw.slice(0, end);
  const body = end < 0 ? "" : raw.slice(end + 2);
  const headers = readHeaders(head);
  const type = headerOf({ headers, text: "" }, "Content-Type");
  const encoding = headerOf({ headers, text: "" }, "Content-Transfer-Encoding").toLowerCase();
  const charset = /charset="?([^\s";]+)/i.exec(type)?.[1] ?? "utf-8";
  return { headers, text: decodeText(decodeTransfer(body, encoding), charset) };
}

/** A header's first value, "" if there is none. */
export function headerOf(message: Message, name: string): string {
  const wanted = name.toLowerCase();
  return message.headers.find(([found]) => found.toLowerCase() === wanted)?.[1] ?? "";
}

function readHeaders(head: string): Message["headers"] {
  const unfolded = head.replace(/\n[ \t]+/g, " ");
  return unfolded.split("\n").flatMap((line) => {
    const match = /^([!-9;-~]+):\s*(.*)$/.exec(line);
    return match === null ? [] : [[match[1] ?? "", decodeWords(match[2] ?? "")] as const];
  });
}

/** `=?UTF-8?Q?caf=C3=A9?=` and its B kind; the blank between two encoded words is no part of the text. */
function decodeWords(value: string): string {
  const word = /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi;
  const joined = value.replace(/(\?=)\s+(?==\?)/g, "$1");
  const decoded = joined.replace(word, (_whole, charset: string, kind: string, text: string) => {
    const isBase64 = kind.toLowerCase() === "b";
    const bytes = isBase64 ? Buffer.from(text, "base64") : decodeQuoted(text.replaceAll("_", " "));
    return decodeText(bytes, charset);
  });
  return decoded === joined ? decodeText(Buffer.from(value, "latin1"), "utf-8") : decoded;
}

function decodeTransfer(body: string, encoding: string): Uint8Array {
  if (encoding === "base64") return Buffer.from(body, "base64");
  return encoding === "quoted-printable" ? decodeQuoted(body) : Buffer.from(body, "latin1");
}

function decodeQuoted(text: string): Uint8Array {
  const joined = text.replace(/=[ \t]*\n/g, "");
  const bytes = joined.replace(/=([0-9a-f]{2})/gi, (_whole, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, "latin1");
}

function decodeText(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    // A charset that nobody knows: the bytes as they are say more than nothing.
    return Buffer.from(bytes).toString("latin1");
  }
}
