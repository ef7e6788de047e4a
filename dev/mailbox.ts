/**
 * The development mailbox: the mails that the site wrote to DATA/mail, as pages. They hold live tokens, so these
 * pages exist in the development server alone, under the one host name that it answers to.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import type { Reply } from "./listen.ts";
import { escapeHtml, framePage } from "./markup.ts";
import { headerOf, type Message, readMessage } from "./message.ts";

// The name of a finished mail; what is being written begins with a dot.
const fileName = /^[A-Za-z0-9_][A-Za-z0-9._-]*\.eml$/;

/** Answers /mailbox/..., or undefined for any other path. */
export function answerMailbox(folder: string, path: string, query: URLSearchParams): Reply | undefined {
  if (path === "/mailbox") return { status: 301, headers: { Location: "/mailbox/" }, body: "" };
  if (!path.startsWith("/mailbox/")) return undefined;
  const name = path.slice("/mailbox/".length);
  if (name === "") return page(200, "Development mailbox", listHtml(folder));
  const bytes = fileName.test(name) ? readMail(folder, name) : undefined;
  if (bytes === undefined)
    return page(404, "No such mail", '<p>Look into the <a href="/mailbox/">mailbox</a>.</p>');
  if (query.get("raw") === "1")
    return {
      status: 200,
      headers: { "Content-Type": "text/plain; charset=utf-8", ...guarding },
      body: bytes,
    };
  const message = readMessage(bytes);
  return page(200, headerOf(message, "Subject") || "(no subject)", mailHtml(message, name));
}

const guarding = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

function page(status: number, title: string, main: string): Reply {
  const headers = { "Content-Type": "text/html; charset=utf-8", ...guarding };
  return { status, headers, body: framePage(title, main) };
}

/** File names begin with the time of the mail, so their order is its order. */
function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => fileName.test(name))
      .sort()
      .reverse();
  } catch (cause) {
    if (hasCode(cause, ["ENOENT"])) return [];
    throw cause;
  }
}

function readMail(folder: string, name: string): Uint8Array | undefined {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    if (hasCode(cause, ["ENOENT"])) return undefined;
    throw cause;
  }
}

function listHtml(folder: string): string {
  const rows = listNames(folder).flatMap((name) => {
    const bytes = readMail(folder, name);
    return bytes === undefined ? [] : [rowHtml(name, readMessage(bytes))];
  });
  if (rows.length === 0)
    return "<p>No mail yet. What the site sends in development comes here a second later.</p>";
  return `<table>
<thead><tr><th>Date</th><th>From</th><th>To</th><th>Subject</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function rowHtml(name: string, message: Message): string {
  const [date, from, to] = ["Date", "From", "To"].map(
    (header) => `<td>${escapeHtml(headerOf(message, header))}</td>`,
  );
  const subject = headerOf(message, "Subject") || "(no subject)";
  return `<tr>${date}${from}${to}<td><a href="/mailbox/${name}">${escapeHtml(subject)}</a></td></tr>`;
}

function mailHtml(message: Message, name: string): string {
  const rows = message.headers.map(
    ([header, value]) => `<tr><th>${escapeHtml(header)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table>
${rows.join("\n")}
</table>
<pre>${linkHtml(message.text)}</pre>
<p><a href="/mailbox/${name}?raw=1">The mail as it was sent</a></p>`;
}

/** The text escaped, with its http and https links made links. */
export function linkHtml(text: string): string {
  const parts = text.split(/(https?:\/\/[^\s<>"']+)/);
  return parts
    .map((part, index) => {
      if (index % 2 === 0) return escapeHtml(part);
      // What ends a sentence or a bracket is seldom the end of an address.
      const url = part.replace(/[.,;:!?)\]]+$/, "");
      const link = `<a href="${escapeHtml(url)}">${escapeHtml(url)}</a>`;
      return link + escapeHtml(part.slice(url.length));
    })
    .join("");
}
