/**
 * The site's navigation as data. `build/` derives it from the content; static pages are wrapped with it at
 * build time, and the account programs carry it baked in, so both show the same sections.
 */
import { routes } from "./routes.ts";

export interface NavLink {
  readonly label: string;
  readonly href: string;
}

/** A section: a page of the top level, or a folder's index page with the pages of the folder below it. */
export interface NavSection extends NavLink {
  readonly children: readonly NavLink[];
}

export interface MarkedLink extends NavLink {
  /** True for the page being shown: layouts write aria-current="page". */
  readonly current: boolean;
}

export interface MarkedSection extends MarkedLink {
  /** True when the page being shown is this section's own or lies in its folder, listed or not. */
  readonly open: boolean;
  readonly children: readonly MarkedLink[];
}

/** The navigation as a layout sees it on the page at `path`. */
export function markNavigation(sections: readonly NavSection[], path: string): readonly MarkedSection[] {
  return sections.map((section) => {
    const children = section.children.map((child) => markLink(child, path));
    const { label, href } = section;
    const current = href === path;
    const isInside = href !== "/" && href.endsWith("/") && path.startsWith(href);
    return { label, href, current, open: current || isInside, children };
  });
}

/**
 * The account links (Sign up, Log in, Your account; or Your account, Log out) as a layout sees them on the page at `path`. Where it is
 * unknown whether somebody is logged in, those alone that lead right either way.
 */
export function markAccountLinks(path: string, isLoggedIn: boolean | "unknown"): readonly MarkedLink[] {
  const fitting = isLoggedIn === "unknown" ? [] : [isLoggedIn ? "customers" : "visitors"];
  const labelled = routes
    .filter(({ label, linkFor }) => label !== "" && ["everybody", ...fitting].includes(linkFor))
    // The way out comes last.
    .sort((a, b) => Number(a.linkFor === "customers") - Number(b.linkFor === "customers"));
  return labelled.map((route) => markLink({ label: route.label, href: route.path }, path));
}

function markLink(link: NavLink, path: string): MarkedLink {
  return { label: link.label, href: link.href, current: link.href === path };
}
