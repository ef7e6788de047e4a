/**
 * How large a picture is shown: its width and height in pixels, as PNG, GIF, JPEG, WebP, AVIF, and SVG say in their
 * first bytes, turned as their makers say. What cannot be told is undefined: a picture may be damaged, or made to stop
 * whoever reads it, so nothing is read beyond its end and each step goes on behind the one before. The formats: RFC 2083,
 * GIF89a, ITU T.81 with EXIF 2.3, RFC 9649, ISO 14496-12 with 23008-12, SVG 2.
 */
import { readSvgSize } from "./svg.ts";

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** @param bytes the whole file */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  const { buffer, byteOffset, byteLength } = bytes;
  const file = new DataView(buffer, byteOffset, byteLength);
  try {
    return judgeSize(readSize(file));
  } catch (error) {
    // DataView throws where less is there than the file says.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function judgeSize(size: ImageSize | undefined): ImageSize | undefined {
  const isWhole = (length: number): boolean => Number.isSafeInteger(length) && length > 0;
  return size !== undefined && isWhole(size.width) && isWhole(size.height) ? size : undefined;
}

function readSize(file: DataView): ImageSize | undefined {
  if (readWord(file, 0, 4) === "\x89PNG") return readPng(file);
  if (/^GIF8[79]a$/.test(readWord(file, 0, 6)))
    return { width: file.getUint16(6, true), height: file.getUint16(8, true) };
  if (readWord(file, 0, 3) === "\xff\xd8\xff") return readJpeg(file);
  if (readWord(file, 0, 4) === "RIFF" && readWord(file, 8, 4) === "WEBP") return readWebp(file);
  if (readWord(file, 4, 4) === "ftyp") return readAvif(file);
  return readSvgSize(file);
}

/** A word in Latin-1; shorter where the file ends. */
function readWord(file: DataView, at: number, length: number): string {
  const end = Math.min(at + length, file.byteLength);
  let word = "";
  for (let index = at; index < end; index += 1) word += String.fromCharCode(file.getUint8(index));
  return word;
}

function readPng(file: DataView): ImageSize | undefined {
  if (readWord(file, 4, 4) !== "\r\n\x1a\n" || readWord(file, 12, 4) !== "IHDR") return undefined;
  return { width: file.getUint32(16), height: file.getUint32(20) };
}

/** Segments follow each other; that of the frame has the size, and must come before the picture itself. */
function readJpeg(file: DataView): ImageSize | undefined {
  let turned = false;
  for (let at = 2; file.getUint8(at) === 0xff; ) {
    const kind = file.getUint8(at + 1);
    if (kind === 0xff) {
      at += 1;
      continue;
    }
    // Start and end of the picture's data: too late for a size.
    if (kind === 0xd9 || kind === 0xda || kind === 0) return undefined;
    const length = file.getUint16(at + 2);
    if (length < 2) return undefined;
    if (kind === 0xe1 && readWord(file, at + 4, 6) === "Exif\0\0")
      turned = isTurned(file, at + 10, at + 2 + length);
    // C4, C8, and CC are tables.
    if (kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind))
      return turn({ width: file.getUint16(at + 7), height: file.getUint16(at + 5) }, turned);
    at += 2 + length;
  }
  return undefined;
}

function turn({ width, height }: ImageSize, turned: boolean): ImageSize {
  return turned ? { width: height, height: width } : { width, height };
}

/** Whether an EXIF block says that the picture lies on its side; one that is damaged says nothing. */
function isTurned(file: DataView, start: number, end: number): boolean {
  const block = new DataView(file.buffer, file.byteOffset + start, Math.min(end, file.byteLength) - start);
  try {
    const little = block.getUint16(0) === 0x4949;
    const first = block.getUint32(4, little);
    const count = block.getUint16(first, little);
    for (let index = 0; index < count; index += 1) {
      const at = first + 2 + index * 12;
      if (block.getUint16(at, little) === 0x0112) {
        const orientation = block.getUint16(at + 8, little);
        return orientation >= 5 && orientation <= 8;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return false;
}

function readWebp(file: DataView): ImageSize | undefined {
  const kind = readWord(file, 12, 4);
  const read24 = (at: number): number => file.getUint16(at, true) + file.getUint8(at + 2) * 65_536;
  if (kind === "VP8X") return { width: read24(24) + 1, height: read24(27) + 1 };
  if (kind === "VP8 " && readWord(file, 23, 3) === "\x9d\x01\x2a")
    return { width: file.getUint16(26, true) & 0x3fff, height: file.getUint16(28, true) & 0x3fff };
  if (kind !== "VP8L" || file.getUint8(20) !== 0x2f) return undefined;
  const bits = file.getUint32(21, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

interface Box {
  readonly kind: string;
  /** Of what is in it. */
  readonly start: number;
  readonly end: number;
}

/** Parts of the picture (alpha, tiles, a small preview) have sizes too; the picture's own is the largest. */
function readAvif(file: DataView): ImageSize | undefined {
  const [type, ...rest] = listBoxes(file, 0, file.byteLength);
  if (type === undefined || !/avi[fs]/.test(readWord(file, type.start, Math.min(type.end - type.start, 256))))
    return undefined;
  const enter = (boxes: readonly Box[], kind: string, skip = 0): readonly Box[] => {
    const box = boxes.find((candidate) => candidate.kind === kind);
    return box === undefined ? [] : listBoxes(file, box.start + skip, box.end);
  };
  const properties = enter(enter(enter(rest, "meta", 4), "iprp"), "ipco");
  let largest = { width: 0, height: 0 };
  for (const { kind, start } of properties) {
    if (kind !== "ispe") continue;
    const size = { width: file.getUint32(start + 4), height: file.getUint32(start + 8) };
    if (size.width * size.height > largest.width * largest.height) largest = size;
  }
  const cut = properties.find(({ kind }) => kind === "clap");
  const shown = cut === undefined ? largest : readCut(file, cut.start);
  const rotation = properties.find(({ kind }) => kind === "irot");
  return turn(shown, rotation !== undefined && file.getUint8(rotation.start) % 2 === 1);
}

/** Width and height of what is left, as fractions. */
function readCut(file: DataView, at: number): ImageSize {
  const read = (from: number): number => Math.round(file.getUint32(from) / file.getUint32(from + 4));
  return { width: read(at), height: read(at + 8) };
}

function listBoxes(file: DataView, from: number, end: number): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= end; ) {
    const size = file.getUint32(at);
    // 1: a longer number follows, of a box that is no description; 0: as far as the file goes.
    if (size !== 0 && size < 8) break;
    const boxEnd = size === 0 ? end : at + size;
    if (boxEnd > end) break;
    boxes.push({ kind: readWord(file, at + 4, 4), start: at + 8, end: boxEnd });
    at = boxEnd;
  }
  return boxes;
}
