/** The mails of a change of address. */
import type { Account } from "../../lib/accounts/account.ts";
import { changeLifeMs, undoLifeMs } from "../../lib/accounts/address.ts";
import type { Email } from "../../lib/accounts/email.ts";
import { composeMail } from "../../lib/mail/compose.ts";
import type { NewMail } from "../../lib/mail/outbox.ts";
import { formatUtc } from "../../lib/util/clock.ts";
import { sha256Hex } from "../../lib/util/digest.ts";
import { pathOf } from "../../lib/util/routes.ts";
import type { Visit } from "./visit.ts";

interface Asked {
  readonly to: Email;
  readonly token: string;
}

/** To the new address: a link that gives it to the account. */
export function composeConfirm({ site }: Visit, account: Account, { to, token }: Asked): NewMail {
  return composeMail(site.renderer, {
    id: `address/${account.id}/${sha256Hex(token)}`,
    to,
    template: "address-confirm",
    data: {
      site: site.settings.name,
      confirmUrl: `${site.settings.url}${pathOf("address")}?token=${token}`,
      hours: changeLifeMs / 3_600_000,
    },
    hasToken: true,
  });
}

/** To an address that has an account already. */
export function composeTaken({ site }: Visit, account: Account, { to, token }: Asked): NewMail {
  return composeMail(site.renderer, {
    id: `address/${account.id}/${sha256Hex(token)}`,
    to,
    template: "address-taken",
    data: { site: site.settings.name, loginUrl: site.settings.url + pathOf("login") },
  });
}

/** To the old address: what was changed, and a link that undoes it. */
export function composeMoved(
  { site }: Visit,
  account: Account,
  { email, undoToken }: { readonly email: Email; readonly undoToken: string },
): NewMail {
  return composeMail(site.renderer, {
    // An erasure finds the account's earlier address by it (lib/staff/erase.ts).
    id: `address-moved/${account.id}/${sha256Hex(undoToken)}`,
    to: account.email,
    template: "address-moved",
    data: {
      site: site.settings.name,
      at: formatUtc(site.clock.now()),
      email,
      undoUrl: `${site.settings.url}${pathOf("address")}?undo=${undoToken}`,
      days: undoLifeMs / 86_400_000,
    },
    hasToken: true,
  });
}
