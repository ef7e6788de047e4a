/** Where a request comes from, for limits, and how a wait is told. */
import type { Tried } from "../../lib/accounts/limit.ts";
import type { Request } from "./request.ts";
import type { Header } from "./response.ts";

/** The address of an IPv4 client; of an IPv6 one the first 64 bits, since a customer has all that follow. */
export function networkOf(remoteAddress: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress)?.[1];
  if (mapped !== undefined) return mapped;
  if (!remoteAddress.includes(":")) return remoteAddress;
  const [head = "", tail] = remoteAddress.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => "0");
  const groups = [...first, ...zeros, ...last].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/** What limits count: an address as it was read, or typed, from the network of a request. */
export function triedFrom({ remoteAddress }: Request, address: string): Tried {
  return { address, network: networkOf(remoteAddress) };
}

/** What a form shows again besides its fields. */
export interface FormState {
  readonly email?: string;
  readonly error?: string;
  /** 200, or 422 with an error, unless told. */
  readonly status?: number;
  readonly headers?: readonly Header[];
}

/** How a form is sent again: 200, or 422 where something was wrong with it. */
export function statusOf({ error = "", status, headers = [] }: FormState): {
  readonly status: number;
  readonly headers: readonly Header[];
} {
  return { status: status ?? (error === "" ? 200 : 422), headers };
}

/** For an address to which strangers caused enough mails for now. */
export const enoughMails: Required<Omit<FormState, "email">> = {
  error:
    "This address has had several mails from us today, and gets no more for now. Nothing was changed; please try again tomorrow.",
  status: 429,
  headers: [],
};

/** What a page says to whoever must wait, and the header for programs (RFC 6585 section 4). */
export function waitState(waitMs: number): Required<Omit<FormState, "email">> {
  const minutes = Math.ceil(waitMs / 60_000);
  const hours = `${Math.ceil(minutes / 60)} hours`;
  const span = minutes === 1 ? "a minute" : minutes < 120 ? `${minutes} minutes` : hours;
  return {
    error: `There were too many attempts. Please try again in ${span}.`,
    status: 429,
    headers: [["Retry-After", String(Math.ceil(waitMs / 1000))]],
  };
}
