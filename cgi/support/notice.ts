/** What notices of the account programs say (lib/accounts/notice.ts). */
import type { Account } from "../../lib/accounts/account.ts";
import { closingWaitDays } from "../../lib/accounts/closing.ts";
import type { Email } from "../../lib/accounts/email.ts";
import { composeNotice } from "../../lib/accounts/notice.ts";
import type { SessionPlace } from "../../lib/accounts/session.ts";
import { composeMail } from "../../lib/mail/compose.ts";
import type { NewMail } from "../../lib/mail/outbox.ts";
import { dayOf } from "../../lib/util/clock.ts";
import { pathOf } from "../../lib/util/routes.ts";
import { networkOf } from "./network.ts";
import type { Visit } from "./visit.ts";

export function composeChanged(visit: Visit, account: Account): NewMail {
  return composeNotice(visit.site, account, "password-changed", {});
}

/** To whoever asks for an account or a password with the address of one that is closed. */
export function composeClosed({ site }: Visit, id: string, to: Email): NewMail {
  const data = { site: site.settings.name, days: closingWaitDays };
  return composeMail(site.renderer, { id, to, template: "closed", data });
}

export function composeNewPlace(visit: Visit, account: Account, { browser, network }: SessionPlace): NewMail {
  return composeNotice(visit.site, account, "new-place", {
    browser,
    network,
    sessionsUrl: visit.site.settings.url + pathOf("sessions"),
  });
}

/** The password was right and the code was not: somebody may know the password. One such mail a day. */
export function composeWrongCode(
  visit: Visit,
  account: Account,
  { browser, network }: SessionPlace,
): NewMail {
  const day = dayOf(visit.site.clock.now());
  return {
    ...composeNotice(visit.site, account, "wrong-code", { browser, network }),
    id: `wrong-code/${account.id}/${day}`,
  };
}

/** A recovery code stood in for the app. */
export function composeRecoveryUsed(visit: Visit, account: Account): NewMail {
  return composeNotice(visit.site, account, "recovery-used", {
    network: networkOf(visit.request.remoteAddress),
    factorUrl: visit.site.settings.url + pathOf("factor"),
  });
}

/** `isAlone`: it is the first second factor of the account, or was the last. */
export function composePasskey(
  visit: Visit,
  account: Account,
  what: { readonly name: string; readonly isAdded: boolean; readonly isAlone: boolean },
): NewMail {
  return composeNotice(visit.site, account, "passkey", {
    ...what,
    passkeysUrl: visit.site.settings.url + pathOf("passkey"),
  });
}

export function composeRetired(visit: Visit, account: Account, name: string): NewMail {
  return composeNotice(visit.site, account, "machine-retired", { name });
}

export function composeToken(visit: Visit, account: Account, name: string): NewMail {
  return composeNotice(visit.site, account, "token", {
    name,
    tokensUrl: visit.site.settings.url + pathOf("tokens"),
  });
}
