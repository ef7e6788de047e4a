/**
 * An account's balance, usage, and statement for programs: for whoever is logged in, or shows a token that was made for this
 * (cgi/tokens). Reads only, and answers a token or a browser that is neither alike.
 */
import type { Account } from "../lib/accounts/account.ts";
import { readSession } from "../lib/accounts/session.ts";
import { noteToken, readToken } from "../lib/accounts/token.ts";
import { readPosition, readStatement } from "../lib/ledger/statement.ts";
import { formatExact } from "../lib/money/amount.ts";
import {
  type BalanceFacts,
  balanceCsv,
  balancePrometheus,
  statementCsv,
  statementJson,
  usageCsv,
  usageJson,
} from "../lib/staff/export.ts";
import { readDetails } from "../lib/usage/detail.ts";
import { readHistory } from "../lib/usage/history.ts";
import { addDays, type DayUtc, dayOf, parseDay } from "../lib/util/clock.ts";
import { daysLeft, readStanding } from "../lib/warnings/standing.ts";
import { type Header, type Response, securityHeaders } from "./support/response.ts";
import { respondJson } from "./support/service.ts";
import { noteUse, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

/** The most days of usage, and lines of the statement, that one answer has. */
const mostDays = 400;
const mostLines = 1000;

export async function handle(visit: Visit): Promise<Response> {
  const { url } = visit.site.settings;
  const account = await findReader(visit);
  if (account === undefined) {
    watch(visit, "token-refused");
    const error = "log in, or show a token of this account: Authorization: Bearer pd_...";
    return respondJson(url, 401, { error }, [["WWW-Authenticate", 'Bearer realm="account"']]);
  }
  const what = visit.query.get("what") ?? "balance";
  const format = visit.query.get("format") ?? "json";
  if (what === "balance" && ["json", "csv", "prometheus"].includes(format))
    return balance(visit, account, format);
  if (what === "usage" && ["json", "csv"].includes(format)) return usage(visit, account, format);
  if (what === "statement" && ["json", "csv"].includes(format)) return statement(visit, account, format);
  const error = "what is balance, usage, or statement; format is json, csv, or for the balance prometheus";
  return respondJson(url, 400, { error });
}

/** By the token where one is shown, and by the cookie only where none is. */
async function findReader({ site, request, cookie }: Visit): Promise<Account | undefined> {
  const shown = /^Bearer (pd_[\w-]{43})$/i.exec(request.authorization)?.[1];
  if (request.authorization === "")
    return (await site.store.read((tx) => readSession(tx, cookie.token)))?.account;
  const found = shown === undefined ? undefined : await site.store.read((tx) => readToken(tx, shown));
  if (found?.isDue) await noteUse(site.store, (tx) => noteToken(tx, found.id));
  return found?.account;
}

async function balance(visit: Visit, account: Account, format: string): Promise<Response> {
  const { store, settings } = visit.site;
  const facts = await store.read(async (tx): Promise<BalanceFacts> => {
    const standing = await readStanding(tx, account.id, settings);
    const { balance: left, costPerDay } = standing.facts;
    const days = daysLeft(standing.facts);
    return {
      account: account.id,
      state: standing.state,
      balance: left,
      costPerDay,
      daysLeft: days,
      asOf: tx.now,
    };
  });
  if (format === "csv") return respondFile(visit, balanceCsv(facts, dayOf(facts.asOf)), "balance.csv");
  if (format === "prometheus")
    return respondText(visit, balancePrometheus(facts), [["Content-Type", "text/plain; version=0.0.4"]]);
  return respondJson(settings.url, 200, {
    account: facts.account,
    state: facts.state,
    balance: formatExact(facts.balance),
    costPerDay: formatExact(facts.costPerDay),
    daysLeft: facts.daysLeft ?? null,
    asOf: new Date(facts.asOf).toISOString(),
  });
}

async function usage(visit: Visit, account: Account, format: string): Promise<Response> {
  const { store, settings, clock } = visit.site;
  const range = readRange(visit, dayOf(clock.now()));
  if (range === undefined) return refuseRange(visit);
  const lines = await store.read((tx) => readHistory(tx, account.id, range));
  if (format === "csv")
    return respondFile(visit, usageCsv(lines, settings.meters), `usage-${range.from}-${range.to}.csv`);
  return respondJson(settings.url, 200, {
    account: account.id,
    ...range,
    usage: usageJson(lines),
  });
}

async function statement(visit: Visit, account: Account, format: string): Promise<Response> {
  const { store, settings } = visit.site;
  const before = readPosition(visit.query.get("before") ?? "");
  const found = await store.read(async (tx) => {
    const page = await readStatement(tx, account.id, { before, limit: mostLines });
    return { ...page, details: await readDetails(tx, page.lines) };
  });
  if (format === "csv")
    return respondFile(visit, statementCsv(found.lines, found.details, settings.meters), "statement.csv");
  return respondJson(settings.url, 200, {
    account: account.id,
    balance: formatExact(found.balance),
    lines: statementJson(found.lines),
    olderBefore: found.olderBefore === undefined ? null : String(found.olderBefore),
  });
}

/** From and to, both included; the last 31 days unless told. Undefined for what is no such range, or too long a one. */
function readRange({ query }: Visit, today: DayUtc): { from: DayUtc; to: DayUtc } | undefined {
  const to = parseDay(query.get("to") ?? today);
  if (to === undefined) return undefined;
  const from = parseDay(query.get("from") ?? addDays(to, -30));
  return from === undefined || from > to || addDays(from, mostDays) <= to ? undefined : { from, to };
}

function refuseRange({ site }: Visit): Response {
  const error = `from and to are days such as 2026-11-01, in this order, and at most ${mostDays} of them`;
  return respondJson(site.settings.url, 400, { error });
}

function respondFile(visit: Visit, body: string, name: string): Response {
  return respondText(visit, body, [
    ["Content-Type", "text/csv; charset=utf-8"],
    ["Content-Disposition", `attachment; filename="${name}"`],
  ]);
}

function respondText({ site }: Visit, body: string, headers: readonly Header[]): Response {
  return { status: 200, headers: [...headers, ...securityHeaders({ url: site.settings.url })], body };
}
