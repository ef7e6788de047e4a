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
  /** Whether it is shown to somebody who is logged in; pages of the content never are, and of a page that tells of a fault it may be unknown. */
  readonly isLoggedIn?: boolean | "unknown";
  /** What else is known of pages of the content; nothing is of a program's. */
  readonly surroundings?: Surroundings;
}

/** A link with the words that it shows. */
export interface NamedLink {
  readonly href: string;
  readonly label: string;
}

/** A page in a list of pages. */
export interface ListedPage {
  readonly href: string;
  readonly title: string;
  readonly description: string;
  readonly date: string;
  readonly dateText: string;
  readonly tags: readonly NamedLink[];
}

/** Where a page of the content stands among the others. Words are "" and links null where there is nothing to say. */
export interface Surroundings {
  /** `YYYY-MM-DD`, and as people read it, "23 November 2026". */
  readonly date: string;
  readonly dateText: string;
  readonly updated: string;
  readonly updatedText: string;
  /** Whole addresses: the page's own, and that of the picture that stands for it elsewhere. */
  readonly canonical: string;
  readonly image: string;
  /** The pages above it, the front page first. */
  readonly breadcrumbs: readonly NamedLink[];
  readonly previous: NamedLink | null;
  readonly next: NamedLink | null;
  /** Its headings, with an id each. */
  readonly contents: readonly (NamedLink & { readonly children: readonly NamedLink[] })[];
  readonly tags: readonly NamedLink[];
  /** The pages that it lists. */
  readonly entries: readonly ListedPage[];
  /** The feed that it is in. */
  readonly feed: NamedLink | null;
}

export const noSurroundings: Surroundings = {
  date: "",
  dateText: "",
  updated: "",
  updatedText: "",
  canonical: "",
  image: "",
  breadcrumbs: [],
  previous: null,
  next: null,
  contents: [],
  tags: [],
  entries: [],
  feed: null,
};

export interface Renderer {
  /** Renders one template by itself: a mail, or the body of an account page. */
  readonly render: (name: string, data: object) => string;
  /** Puts a body into its layout with the header and the navigation. */
  readonly frame: (frame: PageFrame) => string;
}

/** The default, said aloud: otherwise Handlebars prints a warning of its own at the first refusal. */
const ownOnly = { allowProtoMethodsByDefault: false, allowProtoPropertiesByDefault: false };

/** Every template can be used as a partial by its name. Data reaches templates as own properties only. */
export function makeRenderer(baked: Baked): Renderer {
  // The package's types describe its run-time half as empty; it has `create`, `template`, `registerPartial`.
  const engine = (runtime as unknown as typeof Handlebars).create();
  const ready = new Map<string, Handlebars.TemplateDelegate>();
  // Made ready when it is first used: a page has six of sixty.
  const find = (name: string): Handlebars.TemplateDelegate => {
    const known = ready.get(name);
    if (known !== undefined) return known;
    const specification = baked.templates[name];
    if (specification === undefined) throw new Error(`assertion failed: no template is named ${name}`);
    const template = engine.template(specification);
    ready.set(name, template);
    return template;
  };
  for (const name of Object.keys(baked.templates))
    Object.defineProperty(engine.partials, name, { get: () => find(name), enumerable: true });
  const render = (name: string, data: object): string => find(name)(data, ownOnly);
  const frame = (page: PageFrame): string => render(page.layout, frameData(baked, page));
  return { render, frame };
}

/** As `{{word}}` writes a word. */
export function escapeText(text: string): string {
  return (runtime as unknown as typeof Handlebars).escapeExpression(text);
}

/** What every layout may use; content/docs/pages.html documents it for site owners. */
export function frameData(baked: Pick<Baked, "settings" | "navigation">, page: PageFrame): FrameData {
  const { name, tagline, url, search } = baked.settings;
  const { title, description, path, content, isLoggedIn = false, surroundings = noSurroundings } = page;
  return {
    site: { name, tagline, url, search },
    page: { title, description, path, home: path === "/", ...surroundings },
    navigation: markNavigation(baked.navigation, path),
    accountLinks: markAccountLinks(path, isLoggedIn),
    content,
  };
}

export interface FrameData {
  readonly site: object;
  readonly page: PageData;
  readonly navigation: readonly object[];
  readonly accountLinks: readonly object[];
  readonly content: string;
}

export type PageData = Surroundings &
  Pick<PageFrame, "title" | "description" | "path"> & { readonly home: boolean };
