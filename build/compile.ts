/**
 * Handlebars' compiler for one template: its tree, its code, and what it uses, or what is wrong with it. Loaded only
 * where a template is not among those that set-up compiled, which takes a while. Called by template.ts.
 */
import Handlebars from "handlebars";
import type { Compiled } from "./ready.ts";
import { scanMarkup } from "./scan.ts";
import { explainSyntax, inspectTemplate } from "./syntax.ts";
import { toAscii } from "./text.ts";

/** What is wrong, and where in the template's text. */
interface Wrong {
  readonly line: number;
  readonly column?: number;
  readonly message: string;
}

/** The last text of each template, for those who read all of them whenever one changes. */
const known = new Map<string, { readonly text: string; readonly compiled: Compiled | Wrong }>();

export function compile(name: string, text: string): Compiled | Wrong {
  const before = known.get(name);
  if (before?.text === text) return before.compiled;
  const compiled = compileAnew(name, text);
  known.set(name, { text, compiled });
  return compiled;
}

function compileAnew(name: string, text: string): Compiled | Wrong {
  try {
    const tree = Handlebars.parse(text);
    const uses = inspectTemplate(tree);
    // Mails are plain text: what stands in them is not HTML, and must not be escaped as such.
    const noEscape = name.startsWith("mail/");
    const code = Handlebars.precompile(tree, { strict: true, knownHelpersOnly: true, noEscape });
    const links = scanMarkup(text, { isTemplate: true }).links.map(({ target, tag, offset }) => {
      return { target, tag, offset };
    });
    if (uses.escapedContent === undefined)
      return { tree: () => tree, code: toAscii(String(code)), uses, links };
    const message = "{{content}} would show the page's tags as text; write {{{content}}}";
    return { ...uses.escapedContent, message };
  } catch (error) {
    return explainSyntax(error);
  }
}
