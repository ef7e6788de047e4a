/**
 * Machines, for the service: it registers one by the token that a customer made for it, and asks which are retired, so that it
 * can delete what they stored.
 */
import { findAccount } from "../lib/accounts/account.ts";
import { listMachines, registerMachine } from "../lib/usage/machine.ts";
import { pathOf } from "../lib/util/routes.ts";
import { mayWrite, readStanding } from "../lib/warnings/standing.ts";
import type { Response } from "./support/response.ts";
import { respondJson, withService } from "./support/service.ts";
import type { Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withService(visit, () => (visit.request.method === "POST" ? register(visit) : list(visit)));
}

async function register(visit: Visit): Promise<Response> {
  const { settings, store } = visit.site;
  const token = readToken(visit.request.body);
  if (token === undefined)
    return respondJson(settings.url, 400, { error: 'the body is JSON such as {"token":"..."}' });
  const done = await store.write(async (tx) => {
    const registered = await registerMachine(tx, token);
    if (!registered.ok) return undefined;
    const { facts, state } = await readStanding(tx, registered.account, settings);
    // No token of a closed account works.
    return { ...registered, state, mayWrite: mayWrite(facts, false) };
  });
  if (done === undefined) {
    const error = "the token is none, was used, or is more than an hour old; its customer can make another";
    return respondJson(settings.url, 404, { error });
  }
  const { account, machine, name, state } = done;
  // A machine is registered whatever the balance is: who has to pay is told where.
  const payUrl = settings.url + pathOf("pay");
  return respondJson(settings.url, 200, {
    account,
    machine,
    name,
    state,
    mayWrite: done.mayWrite,
    payUrl,
  });
}

function readToken(body: Uint8Array): string | undefined {
  try {
    const { token } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as {
      token?: unknown;
    };
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

async function list(visit: Visit): Promise<Response> {
  const { settings, store } = visit.site;
  const asked = visit.query.get("account") ?? "";
  const machines = await store.read(async (tx) => {
    const account = await findAccount(tx, asked);
    return account && listMachines(tx, account.id);
  });
  if (machines === undefined)
    return respondJson(settings.url, 404, { error: `there is no account "${asked}"` });
  return respondJson(settings.url, 200, {
    account: asked,
    machines: machines.map(({ machine, name, retiredOn }) => ({
      machine,
      name,
      retiredOn: retiredOn ?? null,
    })),
  });
}
