/** Tokens for a customer's own programs: made after the password was shown again, shown once, and revoked. */
import type { Account } from "../lib/accounts/account.ts";
import { addToken, listTokens, makeAccessToken, mostTokens, removeToken } from "../lib/accounts/token.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import { nameError, readName } from "./support/name.ts";
import { type FormState, statusOf } from "./support/network.ts";
import { composeToken } from "./support/notice.ts";
import { proofFields, proveOwner } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

interface Shown extends Omit<FormState, "email"> {
  readonly name?: string;
  /** A token that was just made. */
  readonly token?: string;
}

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    if (visit.request.method !== "POST") return show(visit, account, {});
    const end = visit.form.get("end");
    if (end === undefined) return make(visit, account);
    // Taking a right away needs no proof, and whoever presses twice is told the same.
    await visit.site.store.write((tx) => removeToken(tx, account.id, end));
    return show(visit, account, {});
  });
}

async function make(visit: Visit, account: Account): Promise<Response> {
  const name = readName(visit);
  if (name === undefined)
    return show(visit, account, { name: visit.form.get("name") ?? "", error: nameError });
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return show(visit, account, { ...proof.state, name });
  const token = makeAccessToken();
  const notice = composeToken(visit, account, name);
  const made = await visit.site.store.write(async (tx) => {
    const result = await addToken(tx, account.id, { name, token });
    if (result.ok) await enqueueMail(tx, notice);
    return result;
  });
  if (made.ok) {
    watch(visit, "token-made", account);
    return show(visit, account, { token });
  }
  const error =
    made.why === "too-many"
      ? `There are ${mostTokens} tokens. Revoke one that is not used any more.`
      : "There is a token of this name. Choose another one, or revoke it first.";
  return show(visit, account, { name, error });
}

async function show(visit: Visit, account: Account, shown: Shown): Promise<Response> {
  const { error = "", name = "", token = "" } = shown;
  const { store, settings } = visit.site;
  const lines = await store.read((tx) => listTokens(tx, account.id));
  return respondPage(visit, {
    title: "For your programs",
    template: "tokens",
    ...statusOf(shown),
    data: {
      error,
      name,
      token,
      ...proofFields(visit, account),
      dataUrl: settings.url + pathOf("data"),
      data: pathOf("data"),
      tokens: lines.map((line) => ({
        id: line.id,
        name: line.name,
        made: formatUtc(line.createdAt),
        used: line.usedAt === undefined ? "" : formatUtc(line.usedAt),
      })),
      settings: pathOf("settings"),
    },
  });
}
