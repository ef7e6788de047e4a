/** Stripe's lists, page by page (docs.stripe.com/api/pagination). Called by stripe.ts. */

/** Where a page of one of Stripe's lists begins. */
export interface PageStart {
  readonly created: { readonly gte: number };
  readonly limit: number;
  readonly starting_after?: string;
}

/** All objects since a time, page by page; what came while it was read is left for the next time. */
export async function* listAll<Item extends { readonly id: string }, Facts>(
  sinceMs: number,
  read: (item: Item) => Facts,
  list: (page: PageStart) => PromiseLike<{ readonly data: readonly Item[]; readonly has_more: boolean }>,
): AsyncGenerator<Facts> {
  const start = { created: { gte: Math.floor(sinceMs / 1000) }, limit: 100 };
  for (let after: string | undefined; ; ) {
    const from = after;
    const page = await list(from === undefined ? start : { ...start, starting_after: from });
    for (const item of page.data) yield read(item);
    after = page.data.at(-1)?.id;
    if (!page.has_more || after === undefined) return;
  }
}
