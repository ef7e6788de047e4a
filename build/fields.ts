/**
 * What templates may ask of data. They are strict, and people leave out what does not apply: so an item of a list has
 * every field that one of its items has, null where it lacks it. Called by build/data.ts.
 */
import type { Plain } from "./plain.ts";
import type { Shape } from "./shapes.ts";

/** What all values that stand at one place are, taken together. */
interface Form {
  isText: boolean;
  fields: Map<string, Form> | undefined;
  item: Form | undefined;
  /** How many groups stand here. */
  groups: number;
}

export interface Filled {
  readonly value: Plain;
  readonly shape: Shape;
}

// Lists of a thousand items with a thousand fields each are more than one page shows, and memory holds them.
const mostFields = 1_000_000;

/** The value with its lists' fields filled in; a message where those would be too many. */
export function fillFields(value: Plain): Filled | string {
  const form = openForm();
  look(form, value);
  if (countFields(form) > mostFields)
    return "the items of a list have too many different fields; give them the same ones";
  return { value: fill(value, form), shape: shapeOf(form) };
}

function openForm(): Form {
  return { isText: false, fields: undefined, item: undefined, groups: 0 };
}

function look(form: Form, value: Plain): void {
  if (value === null) return;
  if (isList(value)) {
    form.item ??= openForm();
    for (const item of value) look(form.item, item);
  } else if (typeof value === "object") {
    form.groups += 1;
    form.fields ??= new Map();
    for (const [name, part] of Object.entries(value)) {
      const inner = form.fields.get(name) ?? openForm();
      form.fields.set(name, inner);
      look(inner, part);
    }
  } else form.isText = true;
}

function countFields({ fields, item, groups }: Form): number {
  const inner = [...(fields?.values() ?? [])].reduce((sum, form) => sum + countFields(form), 0);
  return groups * (fields?.size ?? 0) + inner + (item === undefined ? 0 : countFields(item));
}

function fill(value: Plain, form: Form): Plain {
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map((item) => fill(item, form.item ?? openForm()));
  return Object.fromEntries(
    [...(form.fields ?? [])].map(([name, inner]) => [name, fill(value[name] ?? null, inner)]),
  );
}

/** Nothing is known of an empty list and of null; and where words stand beside a group, its fields may be asked for. */
function shapeOf({ isText, fields, item }: Form): Shape {
  if (item !== undefined && (fields !== undefined || isText)) return "any";
  if (item !== undefined) return [shapeOf(item)];
  if (fields !== undefined)
    return Object.fromEntries([...fields].map(([name, form]) => [name, shapeOf(form)]));
  return isText ? "text" : "any";
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
