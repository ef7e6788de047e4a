/** Pictures without words, and headings out of order, over the elements of one document. Called by validate.ts. */
import { type Finding, wholePage } from "./rules.ts";

/** An element with what the rules here ask of it; `undefined` where it has no such attribute. */
export interface Seen {
  readonly tag: string;
  /** Of its "<". */
  readonly offset: number;
  readonly alt: string | undefined;
  readonly type: string | undefined;
  readonly href: string | undefined;
}

/** HTML Standard, 4.8.4.4 (img), 4.8.14 (area with href), 4.10.5.1.19 (input of type image). */
export function judgeAlts(seen: readonly Seen[]): readonly Finding[] {
  return seen.flatMap((element): Finding[] => {
    const { tag, offset, alt, href } = element;
    const tell = (message: string): Finding[] => [{ rule: "missing-alt", offset, message }];
    if (tag === "img" && alt === undefined)
      return tell('<img> has no alt; write what the picture says, or alt="" if it only decorates');
    if (tag === "area" && href !== undefined && alt === undefined)
      return tell("<area> has no alt; write where it leads");
    if (isImageButton(element) && (alt ?? "").trim() === "")
      return tell('<input type="image"> has no alt; write what the button does');
    return [];
  });
}

export function isImageButton({ tag, type }: Seen): boolean {
  return tag === "input" && type?.toLowerCase() === "image";
}

/** A heading may be deeper than the one before it by one; a page has one h1, and need not begin with it. */
export function judgeHeadings(seen: readonly Seen[]): readonly Finding[] {
  const headings = seen.filter(({ tag }) => /^h[1-6]$/.test(tag));
  const found: Finding[] = [];
  let before = 1;
  for (const [index, { tag, offset }] of headings.entries()) {
    const depth = Number(tag[1]);
    const after = index === 0 ? "as the page's first heading" : `after <h${before}>`;
    if (depth > before + 1)
      found.push({
        rule: "heading-order",
        offset,
        message: `<${tag}> stands ${after}; write <h${before + 1}>, or the heading that is missing between them`,
      });
    before = depth;
  }
  const tops = headings.filter(({ tag }) => tag === "h1");
  for (const { offset } of tops.slice(1))
    found.push({ rule: "single-h1", offset, message: "this is another <h1>; a page has one, for its title" });
  if (tops.length === 0)
    found.push({
      rule: "single-h1",
      offset: wholePage,
      message: "the page has no <h1>; begin it with one, for its title",
    });
  return found;
}
