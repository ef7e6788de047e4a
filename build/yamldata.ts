/** Data files in YAML: plain values, more strictly than YAML has them. */
import {
  deepest,
  judgeName,
  judgeText,
  type Plain,
  type PlainFault,
  type PlainResult,
  tooDeep,
} from "./plain.ts";
import {
  isMap,
  isScalar,
  isSeq,
  type Node,
  noAliases,
  parseYaml,
  type ReportAt,
  type Scalar,
  type YAMLMap,
} from "./yaml.ts";

// The library makes an expression of the indentation, and the process ends where that is too long.
const bomb = /^(?:[-?:]?[ \t]){300}/m;

/**
 * The value of a whole file, of any form. Stricter than YAML: no tags, anchors, or aliases; names that are texts; numbers
 * that are shown as they are written, since people write these files and 1.10 is a price to them.
 */
export function readPlainYaml(text: string): PlainResult {
  const deep = bomb.exec(text);
  const faults: PlainFault[] = [];
  if (deep !== null)
    return {
      value: undefined,
      faults: [{ line: text.slice(0, deep.index).split("\n").length, message: tooDeep }],
    };
  try {
    // Names given twice are found below, in one walk; the library compares each with all others.
    const options = { schema: "core", uniqueKeys: false } as const;
    const { document, report } = parseYaml(text, options, (line, column, message) =>
      faults.push({ line, column, message }),
    );
    const value = document === undefined ? null : makePlain(document.contents, report, 0);
    return { value: faults.length > 0 ? undefined : value, faults };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { value: undefined, faults: [{ line: 1, message: tooDeep }] };
  }
}

function makePlain(node: Node | null, report: ReportAt, depth: number): Plain {
  if (node === null) return null;
  const offset = node.range?.[0] ?? 0;
  const refuse = (message: string): null => {
    report(offset, message);
    return null;
  };
  if (depth > deepest) return refuse(tooDeep);
  if ("anchor" in node && node.anchor !== undefined) return refuse(noAliases);
  if (node.tag !== undefined) return refuse("tags (! and a word) are not used here; write the value itself");
  if (isSeq<Node>(node)) return node.items.map((item) => makePlain(item, report, depth + 1));
  if (isMap<Node, Node | null>(node)) return makeRecord(node, report, depth);
  return isScalar(node) ? makeScalar(node, refuse) : refuse(noAliases);
}

function makeScalar({ value, source = "" }: Scalar, refuse: (message: string) => null): Plain {
  if (typeof value === "number" && String(value) !== source)
    return refuse(`${source} would be shown as ${value}; put it in quotes to keep it as it is`);
  if (typeof value === "string") {
    const wrong = judgeText(value);
    return wrong === undefined ? value : refuse(wrong);
  }
  if (typeof value === "number" || typeof value === "boolean") return value;
  return value === null
    ? null
    : refuse(`${source} is no text, number, true, false, or null; put it in quotes`);
}

function makeRecord(map: YAMLMap<Node, Node | null>, report: ReportAt, depth: number): Plain {
  const parts = new Map<string, Plain>();
  for (const { key, value } of map.items) {
    const offset = key?.range?.[0] ?? map.range?.[0] ?? 0;
    const isPlain = isScalar(key) && key.tag === undefined && key.anchor === undefined;
    const name = isPlain ? (key.source ?? String(key.value ?? "")) : "";
    const wrong = isPlain
      ? judgeName(name)
      : "a name is wanted here: one line of text, without tag or anchor";
    if (wrong !== undefined) report(offset, wrong);
    else if (parts.has(name)) report(offset, `the key "${name}" is given twice; keep one`);
    parts.set(name, makePlain(value, report, depth + 1));
  }
  return Object.fromEntries(parts);
}
