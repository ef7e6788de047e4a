/**
 * What a template's syntax tree tells before it is ever rendered, and Handlebars' errors in words that a site
 * owner can act on. Called by compile.ts.
 */
import Handlebars from "handlebars";

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface TemplateUses {
  readonly partials: readonly (Place & { readonly name: string })[];
  /** True where a partial's name is worked out while it is rendered. */
  readonly choosesPartials: boolean;
  /** Partials that it defines for itself. */
  readonly inlines: readonly string[];
  /** Everything it names, for finding the template behind an error. */
  readonly paths: readonly (Place & { readonly parts: readonly string[] })[];
  /** True if {{{content}}} stands in it. */
  readonly placesContent: boolean;
  readonly escapedContent: Place | undefined;
}

const helpers = ["if", "unless", "each", "with", "lookup", "log"];

export function inspectTemplate(tree: hbs.AST.Program): TemplateUses {
  const partials: (Place & { name: string })[] = [];
  let choosesPartials = false;
  const inlines: string[] = [];
  const paths: (Place & { parts: readonly string[] })[] = [];
  const contents: (Place & { escaped: boolean })[] = [];
  const visitor = new Handlebars.Visitor();
  const usual = Handlebars.Visitor.prototype;
  const notePartial = (name: hbs.AST.PathExpression | hbs.AST.SubExpression): void => {
    if (name.type !== "PathExpression") {
      choosesPartials = true;
      return;
    }
    const { original, data } = name as hbs.AST.PathExpression;
    // {{> @partial-block}} is what the caller brings.
    if (!data) partials.push({ name: String(original), ...placeOf(name) });
  };
  visitor.PartialStatement = (node) => {
    notePartial(node.name);
    usual.PartialStatement.call(visitor, node);
  };
  visitor.DecoratorBlock = (node) => {
    const [name] = node.params;
    if (name?.type === "StringLiteral") inlines.push((name as hbs.AST.StringLiteral).value);
    usual.DecoratorBlock.call(visitor, node);
  };
  visitor.MustacheStatement = (node) => {
    const { path } = node;
    const isContent =
      path.type === "PathExpression" &&
      /^(?:@root\.|\.\.\/)*content$/.test(String((path as hbs.AST.PathExpression).original));
    if (isContent) contents.push({ escaped: node.escaped, ...placeOf(node) });
    usual.MustacheStatement.call(visitor, node);
  };
  visitor.PathExpression = (path) => {
    paths.push({ parts: path.parts, ...placeOf(path) });
  };
  visitor.accept(tree);
  const escaped = contents.find((content) => content.escaped);
  return {
    partials,
    choosesPartials,
    inlines,
    paths,
    placesContent: contents.some((content) => !content.escaped),
    escapedContent: escaped === undefined ? undefined : { line: escaped.line, column: escaped.column },
  };
}

/** Line and words of an error of Handlebars' parser or compiler. */
export function explainSyntax(error: unknown): { line: number; column?: number; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const [, text = message, line, column] = /^(.*) - (\d+):(\d+)$/s.exec(message) ?? [];
  if (line !== undefined) return { line: Number(line), column: Number(column) + 1, message: explain(text) };
  const [, parsedLine = "1", near = "", got = ""] =
    /^Parse error on line (\d+):\n(.*)\n[\s\S]*got '(\w+)'/.exec(message) ?? [];
  const what =
    got === "EOF"
      ? "a block or a {{ that was opened before is never closed"
      : `this is not valid Handlebars, near ${JSON.stringify(near === "" ? message : near)}`;
  return { line: Number(parsedLine), message: what };
}

function explain(text: string): string {
  const [, opened, closed] = /^(\S+) doesn't match (\S+)$/.exec(text) ?? [];
  if (opened !== undefined) return `{{#${opened}}} is closed by {{/${closed}}}; write {{/${opened}}}`;
  const [, helper] = /used the unknown helper (\S+)$/.exec(text) ?? [];
  if (helper !== undefined) return `there is no helper "${helper}"; there are: ${helpers.join(", ")}`;
  return `this is not valid Handlebars: ${text}`;
}

function placeOf(node: hbs.AST.Node): Place {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}
