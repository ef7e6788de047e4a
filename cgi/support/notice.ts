/** Notices by mail of what was changed about an account's access, so that an owner who did not do it learns of it. */
import type { Account } from "../../lib/accounts/account.ts";
import { composeMail } from "../../lib/mail/compose.ts";
import type { NewMail } from "../../lib/mail/outbox.ts";
import { formatUtc } from "../../lib/util/clock.ts";
import { randomId } from "../../lib/util/random.ts";
import { pathOf } from "../../lib/util/routes.ts";
import type { Visit } from "./visit.ts";

export function composeChanged({ site }: Visit, account: Account): NewMail {
  return composeMail(site.renderer, {
    id: `password/${account.id}/${randomId("")}`,
    to: account.email,
    template: "password-changed",
    data: {
      site: site.settings.name,
      at: formatUtc(site.clock.now()),
      resetUrl: site.settings.url + pathOf("reset"),
    },
  });
}
