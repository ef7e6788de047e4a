/** Names that customers give: to tokens, and to machines. */
import { longestName } from "../../lib/accounts/token.ts";
import type { Visit } from "./visit.ts";

export const nameError = `Give it a name of 1 to ${longestName} characters.`;

/** The form's field "name"; undefined where it is none, is too long, or has what cannot be printed. */
export function readName({ form }: Visit): string | undefined {
  const name = (form.get("name") ?? "").trim().normalize("NFC");
  return name === "" || [...name].length > longestName || /\p{C}/u.test(name) ? undefined : name;
}
