/**
 * Bodies as Stripe's libraries write them: `line_items[0][price_data][currency]=usd`, form-encoded. Read into
 * maps, never into objects, so that no name can reach a prototype.
 */

export type FormValue = string | FormTree;
export type FormTree = ReadonlyMap<string, FormValue>;
type GrowingTree = Map<string, string | GrowingTree>;

/** Reads a body or a query string; `name[]=a&name[]=b` becomes the keys 0 and 1. */
export function readForm(text: string): FormTree {
  const root: GrowingTree = new Map();
  for (const [name, value] of new URLSearchParams(text)) place(root, splitName(name), value);
  return root;
}

/** `a[0][b]` as its steps `a`, `0`, `b`; a name without sense stays whole. */
function splitName(name: string): readonly string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) return [name];
  const [, first = name, rest = ""] = match;
  return [first, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map((step) => step[1] ?? "")];
}

function place(root: GrowingTree, steps: readonly string[], value: string): void {
  let tree = root;
  for (const [depth, step] of steps.entries()) {
    const key = step === "" ? String(tree.size) : step;
    if (depth === steps.length - 1) {
      tree.set(key, value);
      return;
    }
    const found = tree.get(key);
    const next: GrowingTree = found instanceof Map ? found : new Map();
    tree.set(key, next);
    tree = next;
  }
}

/** The text at a path of names; undefined if there is none or a tree stands there. */
export function textAt(tree: FormTree, ...path: readonly string[]): string | undefined {
  const value = valueAt(tree, path);
  return typeof value === "string" ? value : undefined;
}

/** The tree at a path of names; an empty one if there is none. */
export function treeAt(tree: FormTree, ...path: readonly string[]): FormTree {
  const value = valueAt(tree, path);
  return value === undefined || typeof value === "string" ? new Map() : value;
}

/** A tree of texts, as Stripe's metadata are; deeper trees are left out. */
export function textsOf(tree: FormTree): Readonly<Record<string, string>> {
  return Object.fromEntries([...tree].filter((entry) => typeof entry[1] === "string")) as Record<
    string,
    string
  >;
}

function valueAt(tree: FormTree, path: readonly string[]): FormValue | undefined {
  let value: FormValue | undefined = tree;
  for (const step of path) value = typeof value === "string" ? undefined : value?.get(step);
  return value;
}
