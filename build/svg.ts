/**
 * The size of an SVG picture, as its first tag says: width and height in pixels, or the proportions of its viewBox.
 * Called by build/images.ts.
 */

// What stands before the first tag is seldom longer than a comment about a licence.
const firstBytes = 65_536;
const before = /(?:\s+|<\?[^>]*\?>|<!--(?:(?!-->)[\s\S])*-->|<!DOCTYPE(?:[^>[]|\[[^\]]*\])*>)*/iy;
const tag = /<(?:[A-Za-z_][\w.-]*:)?svg(?=[\s/>])/y;
const attribute = /\s+([^\s=/>"'<]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;

/** Pixels of the units that do not depend on a font or on what stands around the picture. */
const units: Readonly<Record<string, number>> = {
  "": 1,
  px: 1,
  in: 96,
  cm: 96 / 2.54,
  mm: 96 / 25.4,
  q: 96 / 101.6,
  pt: 96 / 72,
  pc: 16,
};

export function readSvgSize(file: DataView): { readonly width: number; readonly height: number } | undefined {
  const length = Math.min(file.byteLength, firstBytes);
  const text = Buffer.from(file.buffer, file.byteOffset, length)
    .toString("utf8")
    .replace(/^\ufeff/, "");
  const attributes = readRoot(text);
  if (attributes === undefined) return undefined;
  const [width, height] = ["width", "height"].map((name) => readLength(attributes.get(name)));
  const [, , boxWidth = 0, boxHeight = 0] = (attributes.get("viewBox") ?? "")
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const ratio = boxWidth > 0 && boxHeight > 0 ? boxWidth / boxHeight : undefined;
  if (width !== undefined && height !== undefined) return round(width, height);
  if (ratio === undefined) return undefined;
  if (width !== undefined) return round(width, width / ratio);
  return height === undefined ? round(boxWidth, boxHeight) : round(height * ratio, height);
}

/** The attributes of the first tag, if that is `<svg>` and all of it is there. */
function readRoot(text: string): ReadonlyMap<string, string> | undefined {
  before.lastIndex = 0;
  before.exec(text);
  tag.lastIndex = before.lastIndex;
  if (!tag.test(text)) return undefined;
  const attributes = new Map<string, string>();
  let at = tag.lastIndex;
  for (;;) {
    attribute.lastIndex = at;
    const match = attribute.exec(text);
    if (match === null) break;
    attributes.set(match[1] ?? "", match[2] ?? match[3] ?? "");
    at = attribute.lastIndex;
  }
  return /^\s*\/?>/.test(text.slice(at)) ? attributes : undefined;
}

function readLength(written = ""): number | undefined {
  const [, digits = "", unit = ""] = /^\s*\+?(\d*\.?\d+(?:e[+-]?\d+)?)([a-z]*)\s*$/i.exec(written) ?? [];
  const pixels = units[unit.toLowerCase()];
  return digits === "" || pixels === undefined ? undefined : Number(digits) * pixels;
}

function round(width: number, height: number): { readonly width: number; readonly height: number } {
  return { width: Math.max(Math.round(width), 1), height: Math.max(Math.round(height), 1) };
}
