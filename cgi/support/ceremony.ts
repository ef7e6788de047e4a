/**
 * The one page that has a script: browsers give passkeys to scripts only. It hands the browser the question that stands in the
 * form, puts the answer into the form, and sends it; every word that it may show stands in the page.
 */
import { pathOf } from "../../lib/util/routes.ts";
import type { Settings } from "../../lib/util/settings.ts";
import type { Header, Response } from "./response.ts";
import { securityHeaders } from "./response.ts";
import { respondPage, type Visit } from "./visit.ts";

/** What the script uses of a browser. */
interface Browser {
  readonly document: {
    readonly getElementById: (id: string) => Form & Field & { hidden: boolean };
  };
  readonly navigator: {
    readonly credentials: Record<"create" | "get", (question: object) => Promise<{ toJSON: () => object }>>;
  };
  readonly PublicKeyCredential: Record<
    "parseCreationOptionsFromJSON" | "parseRequestOptionsFromJSON",
    (question: object) => object
  >;
}
interface Form {
  readonly dataset: { readonly kind?: string; readonly question?: string };
  readonly addEventListener: (
    event: "submit",
    listener: (event: { preventDefault: () => void }) => void,
  ) => void;
  readonly submit: () => void;
}
interface Field {
  value: string;
}

/** Written here as a function so that the compiler reads it; browsers get its text. It may refer to nothing outside itself. */
function perform({ document, navigator, PublicKeyCredential }: Browser): void {
  const form = document.getElementById("ceremony");
  const failed = document.getElementById("failed");
  const answer = document.getElementById("answer");
  const ask = async (): Promise<void> => {
    failed.hidden = true;
    try {
      const question = JSON.parse(form.dataset.question ?? "");
      const given =
        form.dataset.kind === "create"
          ? await navigator.credentials.create({
              publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question),
            })
          : await navigator.credentials.get({
              publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question),
            });
      answer.value = JSON.stringify(given.toJSON());
      form.submit();
    } catch {
      failed.hidden = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  void ask();
}

export interface Ceremony {
  readonly title: string;
  readonly kind: "create" | "get";
  /** What the browser is asked, in JSON. */
  readonly question: string;
  /** What the form does with the answer. */
  readonly next: "add" | "in" | "shown";
  /** Where it leads afterwards, as the name of a program; "" for the usual place. */
  readonly back: string;
  /** Where whoever has no passkey at hand goes on. */
  readonly away: string;
}

export function respondCeremony(
  visit: Visit,
  { title, kind, question, next, back, away }: Ceremony,
): Response {
  return respondPage(visit, {
    title,
    template: "passkey-ask",
    data: { title, isNew: kind === "create", kind, question, next, back, away },
    script: visit.site.settings.url + pathOf("passkey"),
  });
}

/** The script itself. */
export function respondScript({ url }: Pick<Settings, "url">): Response {
  const type: Header = ["Content-Type", "text/javascript; charset=utf-8"];
  return { status: 200, headers: [type, ...securityHeaders({ url })], body: `(${perform})(globalThis);\n` };
}
