/**
 * Rendering of templates that were compiled when the site was built. Only Handlebars' run-time half is
 * imported here: programs never carry its compiler. `build/template.ts` makes the specifications.
 */
import type Handlebars from "handlebars";
import runtime from "handlebars/runtime.js";
import { markAccountLinks, markNavigation, type NavSection } from "./navigation.ts";
import type { Settings } from "./settings.ts";

/** What Handlebars.precompile made, by name: "page", "header", "account/login", "mail/confirm". */
export type CompiledTemplates = Readonly<Record<string, TemplateSpecification>>;

/** What the build puts into each program, as the module "picodollar:baked". */
export interface Baked {
  readonly settings: Settings;
  readonly navigation: readonly NavSection[];
  readonly templates: CompiledTemplates;
}

export interface PageFrame {
  /** Name of the layout, "page" unless the page says otherwise. */
  readonly layout: string;
  readonly title: string;
  readonly description: string;
  /** Path of the page, "/docs/" or "/account/login.cgi". */
  readonly path: string;
  /** The page's own HTML, already safe. */
  readonly content: string;
}

export interface Renderer {
  /** Renders one template by itself: a mail, or the body of an account page. */
  readonly render: (name: string, data: object) => string;
  /** Puts a body into its layout with the header and the navigation. */
  readonly frame: (frame: PageFrame) => string;
}

/** Every template can be used as a partial by its name. Data reaches templates as own properties only. */
export function makeRenderer(baked: Baked): Renderer {
  // The package's types describe its run-time half as empty; it has `create`, `template`, `registerPartial`.
  const engine = (runtime as unknown as typeof Handlebars).create();
  const ready = new Map<string, Handlebars.TemplateDelegate>();
  for (const [name, specification] of Object.entries(baked.templates)) {
    const template = engine.template(specification);
    ready.set(name, template);
    engine.registerPartial(name, template);
  }
  const render = (name: string, data: object): string => {
    const template = ready.get(name);
    if (template === undefined) throw new Error(`assertion failed: no template is named ${name}`);
    return template(data);
  };
  const frame = (page: PageFrame): string => render(page.layout, frameData(baked, page));
  return { render, frame };
}

/** As `{{word}}` writes a word. */
export function escapeText(text: string): string {
  return (runtime as unknown as typeof Handlebars).escapeExpression(text);
}

/** What every layout may use; content/docs/pages.html documents it for site owners. */
export function frameData(baked: Pick<Baked, "settings" | "navigation">, page: PageFrame): object {
  const { name, tagline, url, search } = baked.settings;
  return {
    site: { name, tagline, url, search },
    page: { title: page.title, description: page.description, path: page.path, home: page.path === "/" },
    navigation: markNavigation(baked.navigation, page.path),
    accountLinks: markAccountLinks(page.path),
    content: page.content,
  };
}
