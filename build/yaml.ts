/**
 * YAML and where everything in it stands. The `yaml` package is imported here alone; section.ts reads maps of known keys,
 * yamldata.ts plain values of any form.
 */
import { type Document, LineCounter, type ParsedNode, parseDocument } from "yaml";

export { isMap, isScalar, isSeq, type Node, type Scalar, visit, YAMLMap } from "yaml";

/** Tells a fault at an offset of the text. */
export type ReportAt = (offset: number, message: string) => void;

/** A parsed text; undefined where it was no YAML, which has then been told. */
export function parseYaml(
  text: string,
  options: { readonly schema: "failsafe" | "core"; readonly uniqueKeys?: boolean },
  tell: (line: number, column: number, message: string) => void,
): { readonly document: Document.Parsed<ParsedNode> | undefined; readonly report: ReportAt } {
  const counter = new LineCounter();
  const document = parseDocument(text, { ...options, lineCounter: counter, prettyErrors: false });
  const report: ReportAt = (offset, message) => {
    const { line, col } = counter.linePos(offset);
    tell(Math.max(line, 1), Math.max(col, 1), message);
  };
  const wrong = [...document.errors, ...document.warnings];
  for (const error of wrong)
    report(error.pos[0], explainError(error.code, error.message, text.slice(error.pos[0])));
  return { document: wrong.length === 0 ? document : undefined, report };
}

export const noAliases = "anchors and aliases are not used here; write the value itself";

function explainError(code: string, message: string, rest: string): string {
  if (code !== "DUPLICATE_KEY") return `this is not valid YAML: ${message.split("\n")[0] ?? ""}`;
  return `the key "${/^[^:\s]*/.exec(rest)?.[0] ?? ""}" is given twice; keep one`;
}
