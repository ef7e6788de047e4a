/** Stripe's lists: newest first, `limit` 1 to 100, pages by the id after which to go on. */
import { type ApiError, invalid, missingObject } from "./answer.ts";
import { type FormTree, textAt } from "./form.ts";

export interface Listed {
  readonly id: string;
  readonly created: number;
}

export interface ListBody {
  readonly object: "list";
  readonly data: readonly object[];
  readonly has_more: boolean;
  readonly url: string;
}

/** One page of `items`, which come oldest first. */
export function listPage(
  items: readonly Listed[],
  query: FormTree,
  url: string,
): { readonly ok: true; readonly body: ListBody } | ApiError {
  const limit = textAt(query, "limit") ?? "10";
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100)
    return invalid("parameter_invalid_integer", "limit", `Invalid limit: ${limit} (1 to 100)`);
  const since = Number(textAt(query, "created", "gte") ?? "0");
  const before = Number(textAt(query, "created", "lte") ?? "Infinity");
  const fitting = items.filter((item) => item.created >= since && item.created <= before).toReversed();
  const after = textAt(query, "starting_after");
  const place = fitting.findIndex((item) => item.id === after);
  if (after !== undefined && place < 0) return missingObject("object", "starting_after", after);
  const from = after === undefined ? 0 : place + 1;
  const data = fitting.slice(from, from + Number(limit));
  const hasMore = fitting.length > from + data.length;
  return { ok: true, body: { object: "list", data, has_more: hasMore, url } };
}
