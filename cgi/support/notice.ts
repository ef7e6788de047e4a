/** Notices by mail of what was changed about an account's access, so that an owner who did not do it learns of it. */
import type { Account } from "../../lib/accounts/account.ts";
import type { SessionPlace } from "../../lib/accounts/session.ts";
import { composeMail } from "../../lib/mail/compose.ts";
import type { NewMail } from "../../lib/mail/outbox.ts";
import { dayOf, formatUtc } from "../../lib/util/clock.ts";
import { randomId } from "../../lib/util/random.ts";
import { pathOf } from "../../lib/util/routes.ts";
import { networkOf } from "./network.ts";
import type { Visit } from "./visit.ts";

export function composeChanged(visit: Visit, account: Account): NewMail {
  return compose(visit, account, "password-changed", {});
}

export function composeNewPlace(visit: Visit, account: Account, { browser, network }: SessionPlace): NewMail {
  return compose(visit, account, "new-place", {
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
    ...compose(visit, account, "wrong-code", { browser, network }),
    id: `wrong-code/${account.id}/${day}`,
  };
}

/** `what` is one of on, off, codes. */
export function composeFactor(visit: Visit, account: Account, what: "on" | "off" | "codes"): NewMail {
  return compose(visit, account, "factor", {
    isOn: what === "on",
    isOff: what === "off",
    isCodes: what === "codes",
  });
}

/** A recovery code stood in for the app. */
export function composeRecoveryUsed(visit: Visit, account: Account): NewMail {
  return compose(visit, account, "recovery-used", {
    network: networkOf(visit.request.remoteAddress),
    factorUrl: visit.site.settings.url + pathOf("factor"),
  });
}

export function composeRetired(visit: Visit, account: Account, name: string): NewMail {
  return compose(visit, account, "machine-retired", { name });
}

export function composeToken(visit: Visit, account: Account, name: string): NewMail {
  return compose(visit, account, "token", { name, tokensUrl: visit.site.settings.url + pathOf("tokens") });
}

/** Each notice says when, and where a new password is set. */
function compose({ site }: Visit, account: Account, template: string, data: object): NewMail {
  return composeMail(site.renderer, {
    id: `${template}/${account.id}/${randomId("")}`,
    to: account.email,
    template,
    data: {
      site: site.settings.name,
      at: formatUtc(site.clock.now()),
      resetUrl: site.settings.url + pathOf("reset"),
      ...data,
    },
  });
}
