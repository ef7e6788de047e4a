/**
 * Where the service hands in what it measured: the same rows as `site usage import`, whole or not at all, so a request
 * that broke off or was not answered is sent again. The body may be compressed by gzip.
 */
import { gunzipSync } from "node:zlib";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import type { LineFault } from "../lib/usage/row.ts";
import type { Response } from "./support/response.ts";
import { respondJson, withService } from "./support/service.ts";
import type { Visit } from "./support/visit.ts";

const faultsShown = 50;

export async function handle(visit: Visit): Promise<Response> {
  return withService(visit, async () => {
    const { settings, store } = visit.site;
    const { meters, url } = settings;
    const body = unpack(visit);
    if ("error" in body) return respondJson(url, body.status, { error: body.error });
    const { lines, complete, faults } = readUsageFile(body.bytes);
    if (faults.length > 0) return refuseAll(url, faults);
    const result = await store.write((tx) =>
      importUsage(tx, { lines, meters, complete: [], declared: complete }),
    );
    if (!result.ok) return refuseAll(url, result.faults);
    const { added, revised, known, retired } = result;
    return respondJson(url, 200, {
      added,
      revised,
      known,
      retired,
      complete: [...new Set(complete.map(({ day }) => day))],
    });
  });
}

function refuseAll(url: string, faults: readonly LineFault[]): Response {
  const error = "nothing was taken; see faults";
  return respondJson(url, 422, {
    error,
    faults: faults.slice(0, faultsShown),
    more: Math.max(0, faults.length - faultsShown),
  });
}

/** The body as it was before it was compressed; the cap holds for both. */
function unpack({
  request,
  route,
}: Visit): { readonly bytes: Uint8Array } | { readonly status: number; readonly error: string } {
  const { body, contentEncoding } = request;
  if (contentEncoding === "" || contentEncoding === "identity") return { bytes: body };
  if (contentEncoding !== "gzip") return { status: 415, error: "the body may be compressed by gzip alone" };
  try {
    return { bytes: gunzipSync(body, { maxOutputLength: route.bodyLimitBytes }) };
  } catch (error) {
    const isLong = error instanceof RangeError;
    return isLong
      ? { status: 413, error: `the body is longer than ${route.bodyLimitBytes} bytes when it is unpacked` }
      : { status: 400, error: "the body is no gzip, or broke off" };
  }
}
