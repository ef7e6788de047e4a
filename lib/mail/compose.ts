/**
 * A mail's text from its template: layouts/mail/NAME.txt opens with `Subject: ...`, then an empty line, then
 * the text. Rendered before the transaction that will hold it.
 */
import { assert } from "../util/failure.ts";
import type { Renderer } from "../util/templates.ts";
import type { NewMail } from "./outbox.ts";

export interface MailRequest {
  readonly id: string;
  readonly to: string;
  /** Template below layouts/mail/, without its ending. */
  readonly template: string;
  readonly data: object;
  readonly hasToken?: boolean;
}

export function composeMail(renderer: Renderer, request: MailRequest): NewMail {
  // A template may have been written with an editor that ends lines as mail does.
  const text = renderer.render(`mail/${request.template}`, request.data).replaceAll("\r\n", "\n");
  const match = /^Subject: ([^\n]+)\n\n([\s\S]+)$/.exec(text);
  assert(match?.[1] !== undefined && match[2] !== undefined, `mail/${request.template} opens with Subject:`);
  return {
    id: request.id,
    to: request.to,
    subject: match[1].trim(),
    body: match[2],
    hasToken: request.hasToken ?? false,
  };
}
