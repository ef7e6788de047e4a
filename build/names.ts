/**
 * Every name in a template must be one that it is given. The template's tree is walked as Handlebars would walk it,
 * `#each` and `#with` changing what names mean, partials being read where they are used; nothing is rendered, so
 * branches that are seldom taken are looked at like all others.
 */
import { didYouMean, type Fault } from "./fault.ts";
import { accountLayout, frameShape, type Shape, type ShapeRecord, templateShapes } from "./shapes.ts";
import { isAllGiven, type Template } from "./template.ts";

/** What names mean at one place; `undefined` where that cannot be told, and everything is let through. */
interface Scope {
  /** The innermost context first, then those that `../` leads to. */
  readonly contexts: readonly (Shape | undefined)[];
  /** Names given by `as |item|`. */
  readonly named: ReadonlyMap<string, Shape | undefined>;
}

interface Walk {
  readonly templates: ReadonlyMap<string, Template>;
  readonly faults: Fault[];
  /** Template and context pairs that are being looked at: a partial may contain itself. */
  readonly seen: Map<string, Set<Shape | undefined>>;
}

/**
 * Faults of all templates that a page or a program shows.
 * @param layouts those that pages can ask for
 * @param data what they may ask of the site's data files
 */
export function checkTemplateNames(
  templates: readonly Template[],
  layouts: readonly string[],
  data: ShapeRecord = {},
): readonly Fault[] {
  const walk: Walk = {
    templates: new Map(templates.map((template) => [template.name, template])),
    faults: [],
    seen: new Map(),
  };
  const withData = { ...frameShape, data };
  const roots = [
    ...layouts.map((name) => [name, name === accountLayout ? frameShape : withData] as const),
    ...Object.entries(templateShapes),
  ];
  // Set-up has looked at the package's own, which mean what they meant then where they show no others.
  for (const [name, shape] of roots) if (!isAllGiven(templates, name)) walkTemplate(walk, name, shape);
  return walk.faults;
}

function walkTemplate(walk: Walk, name: string, context: Shape | undefined): void {
  const template = walk.templates.get(name);
  if (template === undefined) return;
  const seen = walk.seen.get(name) ?? new Set();
  if (seen.has(context)) return;
  walk.seen.set(name, seen.add(context));
  walkProgram(walk, template, template.tree(), { contexts: [context], named: new Map() });
}

function walkProgram(walk: Walk, template: Template, program: hbs.AST.Program, scope: Scope): void {
  for (const statement of program.body) walkStatement(walk, template, statement, scope);
}

function walkStatement(walk: Walk, template: Template, node: hbs.AST.Statement, scope: Scope): void {
  const see = (expression: hbs.AST.Expression): Shape | undefined =>
    seeExpression(walk, template, expression, scope);
  if (node.type === "MustacheStatement") {
    const { path, params, hash } = node as hbs.AST.MustacheStatement;
    seeArguments(params, hash, see);
    if (params.length === 0 && hash === undefined) see(path);
  } else if (node.type === "PartialStatement" || node.type === "PartialBlockStatement") {
    walkPartial(walk, template, node as hbs.AST.PartialBlockStatement, scope);
  } else if (node.type === "BlockStatement") walkBlock(walk, template, node as hbs.AST.BlockStatement, scope);
}

function walkPartial(
  walk: Walk,
  template: Template,
  node: Pick<hbs.AST.PartialBlockStatement, "name" | "params" | "hash"> & {
    readonly program?: hbs.AST.Program;
  },
  scope: Scope,
): void {
  const see = (expression: hbs.AST.Expression): Shape | undefined =>
    seeExpression(walk, template, expression, scope);
  const [context] = seeArguments(node.params, node.hash, see);
  const given = node.params.length > 0 ? context : scope.contexts[0];
  // Names given to the partial stand beside those of its context: then it is not told which are there.
  const hasNames = node.hash !== undefined && node.hash.pairs.length > 0;
  const name = node.name.type === "PathExpression" ? (node.name as hbs.AST.PathExpression).original : "";
  if (!hasNames && !template.uses.inlines.includes(String(name))) walkTemplate(walk, String(name), given);
  if (node.program !== undefined) walkProgram(walk, template, node.program, scope);
}

function walkBlock(walk: Walk, template: Template, node: hbs.AST.BlockStatement, scope: Scope): void {
  const see = (expression: hbs.AST.Expression): Shape | undefined =>
    seeExpression(walk, template, expression, scope);
  const helper = String(node.path.original);
  const isHelper = node.params.length > 0;
  const [first] = isHelper ? seeArguments(node.params, node.hash, see) : [see(node.path)];
  const changes = !isHelper || helper === "each" || helper === "with";
  const inner = changes ? enter(first, scope, node.program.blockParams) : scope;
  walkProgram(walk, template, node.program, inner);
  // An {{else}} has the context of the block itself.
  if (node.inverse !== undefined) walkProgram(walk, template, node.inverse, scope);
}

/** The scope inside of a block: an element of a list, or the thing itself. */
function enter(shape: Shape | undefined, scope: Scope, names: readonly string[] = []): Scope {
  const inside = Array.isArray(shape) ? (shape[0] as Shape) : shape;
  const named = new Map(scope.named);
  const [item, ...indexes] = names;
  if (item !== undefined) named.set(item, inside);
  for (const index of indexes) named.set(index, "text");
  return inside === "text" ? { ...scope, named } : { contexts: [inside, ...scope.contexts], named };
}

function seeArguments(
  params: readonly hbs.AST.Expression[],
  hash: hbs.AST.Hash | undefined,
  see: (expression: hbs.AST.Expression) => Shape | undefined,
): readonly (Shape | undefined)[] {
  for (const pair of hash?.pairs ?? []) see(pair.value);
  return params.map(see);
}

function seeExpression(
  walk: Walk,
  template: Template,
  node: hbs.AST.Expression,
  scope: Scope,
): Shape | undefined {
  if (node.type === "SubExpression") {
    const { params, hash } = node as hbs.AST.SubExpression;
    seeArguments(params, hash, (inner) => seeExpression(walk, template, inner, scope));
    return undefined;
  }
  if (node.type !== "PathExpression") return "text";
  const path = node as hbs.AST.PathExpression;
  const { depth, data } = path;
  const parts = path.parts.map(String);
  if (data && parts[0] !== "root") return "text";
  if (data) return resolve(scope.contexts.at(-1), parts.slice(1), walk, template, path);
  const [first = ""] = parts;
  if (depth === 0 && scope.named.has(first))
    return resolve(scope.named.get(first), parts.slice(1), walk, template, path);
  return resolve(scope.contexts[depth], parts, walk, template, path);
}

function resolve(
  from: Shape | undefined,
  parts: readonly string[],
  walk: Walk,
  template: Template,
  node: hbs.AST.PathExpression,
): Shape | undefined {
  let shape = from;
  for (const part of parts) {
    if (shape === undefined) return undefined;
    const inner = partOf(shape, part);
    if (inner === undefined) {
      walk.faults.push(explain(template, node, part, shape));
      return undefined;
    }
    shape = inner;
  }
  return shape;
}

function partOf(shape: Shape, part: string): Shape | undefined {
  if (shape === "any") return "any";
  if (part === "length" && (shape === "text" || Array.isArray(shape))) return "text";
  if (shape === "text") return undefined;
  if (Array.isArray(shape)) return /^\d+$/.test(part) ? (shape[0] as Shape) : undefined;
  return Object.hasOwn(shape, part) ? (shape as { readonly [name: string]: Shape })[part] : undefined;
}

function explain(template: Template, node: hbs.AST.PathExpression, name: string, shape: Shape): Fault {
  const known = typeof shape === "string" || Array.isArray(shape) ? [] : Object.keys(shape);
  const list = known.length === 0 || known.length > 40 ? "" : `; there are: ${known.join(", ")}`;
  const { line, column } = node.loc.start;
  const hint = name === "data" && shape === frameShape ? noData : didYouMean(name, known) || list;
  const message = `"${name}" is not among what is given here${hint}`;
  return { file: template.file, line, column: column + 1, message };
}

const noData = `: account pages wear the layout "${accountLayout}" too, and programs get no data; show it in another layout`;
