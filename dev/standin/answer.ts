/**
 * Answers of the stand-in's API: objects, and errors in Stripe's shape with Stripe's words where they are known
 * (docs.stripe.com/api/errors). An error is a returned value, as every refusal in this house.
 */

/** What was asked for; an `ApiError` is told from it by its `ok`. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

export interface ApiError {
  readonly ok: false;
  readonly status: number;
  readonly error: {
    readonly type: "invalid_request_error" | "idempotency_error";
    readonly message: string;
    readonly code?: string;
    readonly param?: string;
    readonly doc_url?: string;
  };
}

/** A request that names something wrong: `code` and `param` as Stripe gives them. */
export function invalid(code: string, param: string, message: string): ApiError {
  const page = `https://docs.stripe.com/error-codes#${code.replaceAll("_", "-")}`;
  return {
    ok: false,
    status: 400,
    error: { type: "invalid_request_error", code, doc_url: page, message, param },
  };
}

/** `kind` as Stripe names it in this message, "checkout.session". */
export function missingObject(kind: string, param: string, id: string): ApiError {
  return { ...invalid("resource_missing", param, `No such ${kind}: '${id}'`), status: 404 };
}

export function unknownAddress(method: string, path: string): ApiError {
  const message = `Unrecognized request URL (${method}: ${path}). This is the development stand-in; it speaks the part of Stripe's API that the site needs.`;
  return { ok: false, status: 404, error: { type: "invalid_request_error", message } };
}

export function wrongKey(key: string | undefined): ApiError {
  const message =
    key === undefined
      ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
      : `Invalid API Key provided: ${key.slice(0, 8)}****${key.slice(-4)}`;
  return { ok: false, status: 401, error: { type: "invalid_request_error", message } };
}

export function reusedKey(key: string): ApiError {
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
  return { ok: false, status: 400, error: { type: "idempotency_error", message } };
}
