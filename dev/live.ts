/**
 * Open pages follow the sources: each page that the development server sends has a script of a few lines, which listens for
 * the site to change and loads the page again. While a page is at fault, it shows the fault instead. Nothing of this is
 * part of dist/. Called by dev/serve and dev/web.
 */
import type { ServerResponse } from "node:http";
import { type Fault, formatFault, makeFaultShower } from "../build/build.ts";
import type { Reply } from "./listen.ts";
import { escapeHtml, framePage } from "./markup.ts";

export interface Live {
  /** Says that something is another one than it was. */
  readonly tell: () => void;
  /** Answers the script, and lets a browser listen; false for every other address. */
  readonly answer: (pathname: string, response: ServerResponse) => boolean;
  /** The reply as open pages need it: with the script. */
  readonly dress: (reply: Reply) => Reply;
  /** What is shown in the place of a page that has faults. */
  readonly faultReply: (faults: readonly Fault[], path: string, search: string) => Reply;
}

const [eventsPath, scriptPath] = ["/_picodollar/events", "/_picodollar/reload.js"];
const lastGood = "last-good";

// The version that a page was sent with stands in the script's address: what changed while it was on its way is not missed.
const script = `const { search } = new URL(document.currentScript.src);
new EventSource("${eventsPath}").onmessage = ({ data }) => {
  if (data !== search) location.reload();
};
`;

/** @param sourceFolder the site's, for the lines that faults stand in */
export function makeLive(sourceFolder: string): Live {
  const listeners = new Set<ServerResponse>();
  const run = String(process.pid);
  let count = 0;
  const version = (): string => `?${run}-${count}`;
  const tell = (): void => {
    count += 1;
    for (const response of listeners) response.write(`data: ${version()}\n\n`);
  };
  const answer: Live["answer"] = (pathname, response) => {
    if (pathname !== eventsPath && pathname !== scriptPath) return false;
    const isScript = pathname === scriptPath;
    const type = isScript ? "text/javascript; charset=utf-8" : "text/event-stream";
    response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store" });
    if (isScript) response.end(script);
    else {
      response.write(`retry: 500\ndata: ${version()}\n\n`);
      listeners.add(response);
      response.on("close", () => listeners.delete(response));
    }
    return true;
  };
  const dress: Live["dress"] = (reply) =>
    String(reply.headers["Content-Type"] ?? "").startsWith("text/html") ? addScript(reply, version()) : reply;
  const faultReply: Live["faultReply"] = (faults, path, search) => {
    const show = makeFaultShower(sourceFolder);
    const shown = faults.map((fault) => ({ fault, lines: show(fault) }));
    return writeFaults(shown, path, search);
  };
  return { tell, answer, dress, faultReply };
}

/** Whether the page is asked for as it was last, in spite of its faults. */
export function isLastGood(search: string): boolean {
  return search.slice(1).split("&").at(-1) === lastGood;
}

/** The same page as it was last. A path that begins with two slashes would name another host. */
function lastGoodLink(path: string, search: string): string {
  const query = search === "" || search === "?" ? `?${lastGood}` : `${search}&${lastGood}`;
  return path.replace(/^[\\/]+/, "/") + query;
}

function writeFaults(
  faults: readonly { readonly fault: Fault; readonly lines: readonly string[] }[],
  path: string,
  search: string,
): Reply {
  const items = faults.map(({ fault, lines }) => {
    const shown = lines.length === 0 ? "" : `\n<pre>${escapeHtml(lines.join("\n"))}</pre>`;
    return `<li><p>${escapeHtml(formatFault(fault))}</p>${shown}</li>`;
  });
  const what = faults.length === 1 ? "A fault" : `${faults.length} faults`;
  const main = `<p>This page cannot be built as it stands. Save the mended file, and it is shown again. <a href="${escapeHtml(lastGoodLink(path, search))}">Show it as it was last</a>.</p>
<ul>
${items.join("\n")}
</ul>`;
  const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };
  return {
    status: 500,
    headers: { ...headers, "Content-Security-Policy": faultPolicy },
    body: framePage(what, main),
  };
}

const faultPolicy = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/** The script is the server's own: the policy lets it in, and nothing else. */
function addScript(reply: Reply, version: string): Reply {
  const html = Buffer.from(reply.body).toString("utf8");
  const end = html.lastIndexOf("</body>");
  if (end < 0) return reply;
  const body = `${html.slice(0, end)}<script src="${scriptPath}${version}" defer></script>\n${html.slice(end)}`;
  const policy = String(reply.headers["Content-Security-Policy"] ?? "");
  const headers =
    policy === "" ? reply.headers : { ...reply.headers, "Content-Security-Policy": openPolicy(policy) };
  return { ...reply, headers, body };
}

function openPolicy(policy: string): string {
  const parts = policy.split("; ");
  for (const name of ["script-src", "connect-src"]) {
    const at = parts.findIndex((part) => part.startsWith(`${name} `));
    if (at < 0) parts.push(`${name} 'self'`);
    else if (!parts[at]?.includes("'self'")) parts[at] += " 'self'";
  }
  return parts.join("; ");
}
