/**
 * Which secrets a job may read; one that is not named here reads none. Said apart from the jobs, since the build gives each user of a
 * host the secrets that its programs need, and no others (build/host/secrets.ts).
 */
import type { SecretName } from "./settings.ts";

/** The one that sends mail runs as a user of its own. */
export const mailJob = "mail";

export const jobSecrets: Readonly<Record<string, readonly SecretName[]>> = {
  [mailJob]: ["smtp_password"],
  recharge: ["stripe_key", "stripe_api"],
  reconcile: ["stripe_key", "stripe_api"],
  refund: ["stripe_key", "stripe_api"],
};
