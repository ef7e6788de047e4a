/** A customer's machines: a token for a new one, names, and retiring those that are lost or gone. */
import type { Account } from "../lib/accounts/account.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import {
  addMachineToken,
  listMachines,
  machineTokenLifeMs,
  readMachineNames,
  renameMachine,
  retireMachine,
} from "../lib/usage/machine.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { nameError, readName } from "./support/name.ts";
import { type FormState, statusOf } from "./support/network.ts";
import { composeRetired } from "./support/notice.ts";
import { proofFields, proveOwner } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

interface Shown extends Omit<FormState, "email"> {
  readonly name?: string;
  readonly token?: string;
}

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const { method } = visit.request;
    const machine = (method === "POST" ? visit.form : visit.query).get("machine");
    if (method !== "POST")
      return machine === undefined ? show(visit, account, {}) : showOne(visit, account, machine, {});
    if (machine === undefined) return add(visit, account);
    return visit.form.get("do") === "retire"
      ? retire(visit, account, machine)
      : rename(visit, account, machine);
  });
}

async function add(visit: Visit, account: Account): Promise<Response> {
  const name = readName(visit);
  if (name === undefined)
    return show(visit, account, { error: nameError, name: visit.form.get("name") ?? "" });
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return show(visit, account, { ...proof.state, name });
  const token = randomToken();
  await visit.site.store.write((tx) => addMachineToken(tx, account.id, { name, token }));
  watch(visit, "machine-token", account);
  return show(visit, account, { token });
}

async function rename(visit: Visit, account: Account, machine: string): Promise<Response> {
  const name = readName(visit);
  if (name === undefined) return showOne(visit, account, machine, { error: nameError });
  await visit.site.store.write((tx) => renameMachine(tx, account.id, { machine, name }));
  return showOne(visit, account, machine, {});
}

/** It ends what a machine stored, so it takes the password. */
async function retire(visit: Visit, account: Account, machine: string): Promise<Response> {
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return showOne(visit, account, machine, proof.state);
  const names = await visit.site.store.read((tx) => readMachineNames(tx, account.id));
  const notice = composeRetired(visit, account, names.get(machine) ?? machine);
  await visit.site.store.write(async (tx) => {
    if (await retireMachine(tx, account.id, machine)) await enqueueMail(tx, notice);
  });
  watch(visit, "machine-retired", account);
  return showOne(visit, account, machine, {});
}

async function show(visit: Visit, account: Account, shown: Shown): Promise<Response> {
  const { error = "", name = "", token = "" } = shown;
  const machines = await visit.site.store.read((tx) => listMachines(tx, account.id));
  return respondPage(visit, {
    title: "Machines",
    template: "machines",
    ...statusOf(shown),
    data: {
      error,
      name,
      token,
      minutes: machineTokenLifeMs / 60_000,
      ...proofFields(visit, account),
      machines: machines.map((line) => ({
        name: line.name,
        machine: line.machine,
        registered: line.registeredAt === undefined ? "" : formatUtc(line.registeredAt),
        retired: line.retiredOn ?? "",
        href: `?machine=${encodeURIComponent(line.machine)}`,
      })),
      settings: pathOf("settings"),
    },
  });
}

async function showOne(visit: Visit, account: Account, machine: string, state: FormState): Promise<Response> {
  const { error = "" } = state;
  const machines = await visit.site.store.read((tx) => listMachines(tx, account.id));
  const found = machines.find((line) => line.machine === machine);
  // The same for one of another customer and one that is not there.
  if (found === undefined)
    return respondPage(visit, {
      title: "No such machine",
      template: "machine-unknown",
      status: 404,
      data: { machines: pathOf("machines") },
    });
  return respondPage(visit, {
    title: found.name,
    template: "machine",
    ...statusOf(state),
    data: {
      error,
      machine,
      name: found.name,
      // A name that was refused stands there to be mended; the form that retires has none.
      typed: (error === "" ? undefined : visit.form.get("name")) ?? found.name,
      registered: found.registeredAt === undefined ? "" : formatUtc(found.registeredAt),
      retired: found.retiredOn ?? "",
      ...proofFields(visit, account),
      usage: `${pathOf("history")}?machine=${encodeURIComponent(machine)}`,
      machines: pathOf("machines"),
    },
  });
}
