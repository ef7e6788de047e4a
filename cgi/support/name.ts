/** Names that customers give: to tokens, and to machines. */
import { longestName } from "../../lib/accounts/token.ts";
import type { Visit } from "./visit.ts";

export const nameError = `Give it a name of 1 to ${longestName} characters.`;

/** The form's field "name"; undefined where it is none, is too long, or has what cannot be printed. */
export function readName({ form }: Visit): string | undefined {
  const name = (form.get("name") ?? "").trim().normalize("NFC");
  const isShown = !/\p{C}/u.test(name.replace(joiners, ""));
  return name === "" || [...name].length > longestName || !isShown ? undefined : name;
}

/** Persian, Hindi, and families of emoji join, or do not join, what stands at both sides; nowhere else are these of use. */
const joiners = /(?<=[^\p{C}\p{Z}])[\u200C\u200D](?=[^\p{C}\p{Z}])/gu;
