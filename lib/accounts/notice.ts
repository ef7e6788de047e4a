/** Notices by mail of what was changed about an account's access, by its customer or by the staff: whoever did not do it learns of it. */
import { composeMail } from "../mail/compose.ts";
import type { NewMail } from "../mail/outbox.ts";
import { type Clock, formatUtc } from "../util/clock.ts";
import { randomId } from "../util/random.ts";
import { pathOf } from "../util/routes.ts";
import type { Settings } from "../util/settings.ts";
import type { Renderer } from "../util/templates.ts";
import type { Account } from "./account.ts";

/** Where a notice comes from: a program of the site, or a job of it. */
export interface NoticeSender {
  readonly renderer: Renderer;
  readonly settings: Settings;
  readonly clock: Clock;
}

/** Each notice says when, and where a new password is set. */
export function composeNotice(
  { renderer, settings, clock }: NoticeSender,
  { id, email }: Pick<Account, "id" | "email">,
  template: string,
  data: object,
): NewMail {
  return composeMail(renderer, {
    id: `${template}/${id}/${randomId("")}`,
    to: email,
    template,
    data: {
      site: settings.name,
      at: formatUtc(clock.now()),
      resetUrl: settings.url + pathOf("reset"),
      ...data,
    },
  });
}

/**
 * `what` was done to a second factor: "off" where none is left, "app-off" where a passkey is; "codes": the recovery codes are
 * new ones.
 */
export function composeFactor(
  sender: NoticeSender,
  account: Account,
  what: "on" | "off" | "app-off" | "codes",
): NewMail {
  return composeNotice(sender, account, "factor", {
    isOn: what === "on",
    isOff: what === "off",
    isAppOff: what === "app-off",
    isCodes: what === "codes",
  });
}
