/**
 * What an owner begins with: a new page of content/, and a layout of the package to be changed. Nothing that is there
 * is ever written over. Called by cli/new and cli/layout.
 */
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, normalize } from "node:path";
import { dayOf } from "../lib/util/clock.ts";
import { hasCode, type Refusal, refuse } from "../lib/util/failure.ts";
import { slugOf } from "./anchors.ts";
import { didYouMean } from "./fault.ts";
import { findPackage, type Package } from "./package.ts";
import { listTemplates } from "./template.ts";

export interface NewPage {
  /** The site's. */
  readonly sourceFolder: string;
  /** Below content/, "news"; "" or "." for content/ itself. */
  readonly folder: string;
  readonly title: string;
  readonly isHtml: boolean;
  /** Its date is the UTC day of this moment. */
  readonly nowMs: number;
}

export type Laid =
  | { readonly ok: true; readonly file: string }
  | Refusal<"no-site" | "wrong-folder" | "wrong-title" | "is-there" | "unknown">;

/** Makes content/FOLDER/SLUG.md, a draft where the folder lists its pages; `file` is its path in the site's folder. */
export function layPage({ sourceFolder, folder, title, isHtml, nowMs }: NewPage): Laid {
  const words = title.trim();
  if (words === "" || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(words))
    return refuse("wrong-title", "a title is one line of text; write it in quotes");
  if (!/[\p{L}\p{N}]/u.test(words))
    return refuse("wrong-title", `"${words}" has no letter and no digit, of which its file's name is made`);
  if (!isFolder(join(sourceFolder, "content")))
    return refuse("no-site", `${join(sourceFolder, "content")}: not found; \`site init\` makes a site`);
  const below = normalize(folder)
    .replace(/^content(?:\/|$)/, "")
    .replace(/\/$/, "");
  if (below.startsWith("/") || below.split("/").includes(".."))
    return refuse("wrong-folder", `${folder}: pages lie in content/; name a folder in it, such as news`);
  const slug = slugOf(words);
  const room = join("content", below);
  for (const ending of ["md", "html"]) {
    const file = join(room, `${slug}.${ending}`);
    if (existsSync(join(sourceFolder, file)))
      return refuse("is-there", `${file}: is there already; choose another title`);
  }
  const file = join(room, `${slug}.${isHtml ? "html" : "md"}`);
  const draft = listsPages(join(sourceFolder, room)) ? "draft: yes\n" : "";
  const head = `---\ntitle: ${writeScalar(words)}\ndate: ${dayOf(nowMs)}\n${draft}---\n`;
  const body = isHtml
    ? `<h1>${escapeHtml(words)}</h1>\n<p>Write here.</p>\n`
    : `# ${escapeMarkdown(words)}\n\nWrite here.\n`;
  try {
    mkdirSync(join(sourceFolder, room), { recursive: true });
  } catch (error) {
    if (!hasCode(error, ["ENOTDIR", "EEXIST"])) throw error;
    return refuse("wrong-folder", `${room}: a file has this name, or one above it; choose another folder`);
  }
  writeFileSync(join(sourceFolder, file), head + body, { flag: "wx" });
  return { ok: true, file };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether the folder's index page has `entries:` in its header: what is new there is seen at once. */
function listsPages(folder: string): boolean {
  return ["index.html", "index.md"].some((name) => {
    const file = join(folder, name);
    if (!existsSync(file)) return false;
    const [, head = ""] = /^\ufeff?---[ \t]*\r?\n([\s\S]*?)^---/m.exec(readFileSync(file, "utf8")) ?? [];
    return /^entries[ \t]*:/m.test(head);
  });
}

/** In quotes wherever it might mean something else in YAML. */
function writeScalar(text: string): string {
  return /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M} ,.!?'()-]*[\p{L}\p{N}\p{M}.!?')])?$/u.test(text)
    ? text
    : JSON.stringify(text);
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#&~|]/g, "\\$&");
}

export interface LayoutName {
  /** "page", "account/login", "mail/low". */
  readonly name: string;
  readonly isGiven: boolean;
  readonly isOwn: boolean;
}

/** The package's layouts, the site's own, and those that the site has in place of the package's. */
export function listAllLayouts(
  sourceFolder: string,
  home: Pick<Package, "folder"> = findPackage(),
): readonly LayoutName[] {
  const namesIn = (folder: string): readonly string[] =>
    listTemplates(join(folder, "layouts"), "layouts", []).map(({ name }) => name);
  const [given, own] = [namesIn(home.folder), namesIn(sourceFolder)];
  return [...new Set([...given, ...own])]
    .sort((a, b) => Number(a.includes("/")) - Number(b.includes("/")) || (a < b ? -1 : 1))
    .map((name) => ({ name, isGiven: given.includes(name), isOwn: own.includes(name) }));
}

/** Brings one of the package's layouts into layouts/ of the site; `file` is its path in the site's folder. */
export function copyLayout(
  sourceFolder: string,
  wanted: string,
  home: Pick<Package, "folder"> = findPackage(),
): Laid {
  if (!isFolder(join(sourceFolder, "content")))
    return refuse("no-site", `${join(sourceFolder, "content")}: not found; this is no site's folder`);
  const name = wanted.replace(/^layouts\//, "").replace(/\.(?:html|txt)$/, "");
  const given = listTemplates(join(home.folder, "layouts"), "layouts", []);
  const found = given.find((layout) => layout.name === name);
  if (found === undefined) {
    const names = given.map((layout) => layout.name);
    const hint = didYouMean(name, names) || `; there are: ${names.join(", ")}`;
    return refuse("unknown", `there is no layout "${wanted}"${hint}`);
  }
  const { file, absolute } = found;
  const target = join(sourceFolder, file);
  mkdirSync(dirname(target), { recursive: true });
  try {
    copyFileSync(absolute, target, constants.COPYFILE_EXCL);
  } catch (error) {
    if (!hasCode(error, ["EEXIST"])) throw error;
    return refuse("is-there", `${file}: is there already; change that one, or delete it first`);
  }
  return { ok: true, file };
}
