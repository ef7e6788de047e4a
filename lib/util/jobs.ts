/**
 * Who runs a job, and which secrets it may read; one that is not named here is run as the jobs' user, and reads none. Said apart from the
 * jobs, since the build gives each user of a host the secrets that its programs need, and no others (build/host/secrets.ts).
 */
import type { SecretName } from "./settings.ts";

/** Whose work something is: each of them is a user of the host, and has a file of secrets of this name. */
export type Runner = "programs" | "jobs" | "mail";

interface Needs {
  readonly runner: Runner;
  readonly secrets: readonly SecretName[];
}

const none: Needs = { runner: "jobs", secrets: [] };
const ofStripe: Needs = { runner: "jobs", secrets: ["stripe_key", "stripe_api"] };

export const jobNeeds: Readonly<Record<string, Needs>> = {
  mail: { runner: "mail", secrets: ["smtp_password"] },
  recharge: ofStripe,
  reconcile: ofStripe,
  refund: ofStripe,
  store: { runner: "jobs", secrets: ["store_password"] },
  // What programs sealed, by the keys that they have anyway.
  reseal: { runner: "programs", secrets: ["account_key", "account_key_old"] },
};

export function needsOf(job: string): Needs {
  return jobNeeds[job] ?? none;
}
