/** Reads what a CGI program wrote: headers, an empty line, the body (RFC 3875 section 6). */
import { STATUS_CODES } from "node:http";
import type { Reply } from "./listen.ts";

export type CgiOutput =
  | {
      readonly ok: true;
      readonly reply: Reply;
      /** All the bytes that Content-Length announced are there; false too where nothing was announced. */
      readonly complete: boolean;
      /** Content-Length announced more bytes than there are. */
      readonly cut: boolean;
    }
  | { readonly ok: false; readonly why: string };

/** May be called with what has come so far; "no end of the headers" may then only mean "not yet". */
export function parseOutput(output: Buffer, method: string): CgiOutput {
  if (output.length === 0) return { ok: false, why: "no output" };
  const end = findHeaderEnd(output);
  if (end === undefined) return { ok: false, why: "no end of the headers" };
  const headers: Record<string, string | string[]> = {};
  let status = 0;
  for (const line of output.subarray(0, end.at).toString("latin1").split(/\r?\n/)) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null) return { ok: false, why: `no header: ${JSON.stringify(line.slice(0, 80))}` };
    const [, name = "", value = ""] = match;
    if (name.toLowerCase() === "status") status = Number(/^(\d{3})(?: |$)/.exec(value)?.[1] ?? "0");
    else addHeader(headers, name, value);
    if (name.toLowerCase() === "status" && STATUS_CODES[status] === undefined)
      return { ok: false, why: `no status: ${JSON.stringify(value)}` };
  }
  const found = (wanted: string): string | undefined => {
    const name = Object.keys(headers).find((candidate) => candidate.toLowerCase() === wanted);
    const value = name === undefined ? undefined : headers[name];
    return typeof value === "string" ? value : undefined;
  };
  if (found("location") === undefined && found("content-type") === undefined && status === 0)
    return { ok: false, why: "neither Status nor Location nor Content-Type" };
  const announced = Number(found("content-length") ?? "NaN");
  const rest = output.subarray(end.at + end.length);
  const body = Number.isNaN(announced) ? rest : rest.subarray(0, announced);
  return {
    ok: true,
    reply: { status: status || (found("location") === undefined ? 200 : 302), headers, body },
    // To HEAD a length is told, and nothing follows it.
    complete: body.length === announced || (method === "HEAD" && announced >= 0),
    cut: body.length < announced && method !== "HEAD",
  };
}

function findHeaderEnd(output: Buffer): { readonly at: number; readonly length: number } | undefined {
  const ends = ["\r\n\r\n", "\n\n"].map((mark) => ({ at: output.indexOf(mark), length: mark.length }));
  return ends.filter(({ at }) => at >= 0).sort((left, right) => left.at - right.at)[0];
}

/** Several headers of one name (Set-Cookie) stay several. */
function addHeader(headers: Record<string, string | string[]>, name: string, value: string): void {
  const before = headers[name];
  if (before === undefined) headers[name] = value;
  else headers[name] = [...(typeof before === "string" ? [before] : before), value];
}
