// Goal of this test: real pictures of every kind have the size that they are shown with, and no damaged one, wherever
// it is cut and whatever is changed in it, throws, takes long, or is read beyond its end.
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { imageSize } from "../build/images.ts";

const folder = new URL("pictures/", import.meta.url);
const names = readdirSync(folder);
const read = (name: string): Buffer => readFileSync(new URL(name, folder));

describe("a picture", () => {
  it.each(names)("%s has its size", (name) => {
    const turned = name.startsWith("turned");
    const wanted = name.startsWith("grid") ? [1200, 700] : turned ? [23, 37] : [37, 23];
    const { width, height } = imageSize(read(name)) ?? {};
    expect([width, height]).toEqual(wanted);
  });

  it("is one of every kind", () => {
    for (const ending of ["png", "gif", "jpg", "webp", "avif"])
      expect(names.some((name) => name.endsWith(`.${ending}`))).toBe(true);
  });

  it.each<[string, readonly [number, number] | undefined]>([
    ['<svg xmlns="http://www.w3.org/2000/svg" width="24" height="12.4px"/>', [24, 12]],
    ["<svg viewBox='0 0 300 150' width='100%'>", [300, 150]],
    ['<svg viewBox="0,0,300,150" width="1in"></svg>', [96, 48]],
    ['<svg viewBox="-5 -5 300 150" height="10mm"></svg>', [76, 38]],
    [
      '\ufeff<?xml version="1.0"?>\n<!-- <svg width="1" height="1"> -->\n<svg:svg width="3" height="4">',
      [3, 4],
    ],
    ['<!DOCTYPE svg [<!ENTITY a "b>">]>\n<svg\n  data-width="9" width="2e1"\n  height=".6"\n>', [20, 1]],
    ['<svg width="10em" height="3"/>', undefined],
    ['<svg stroke-width="3" height="3"/>', undefined],
    ['<svg width="0" viewBox="0 0 0 0"/>', undefined],
    ['<svg width="3" height="4"', undefined],
    ['<svg width="3" height="4', undefined],
    ['<html><svg width="3" height="4"/></html>', undefined],
    ['<svgx width="3" height="4"/>', undefined],
    ["", undefined],
  ])("as SVG is read: %s", (text, wanted) => {
    const size = imageSize(Buffer.from(text));
    expect(size && [size.width, size.height]).toEqual(wanted);
  });

  it("that is none has no size", () => {
    const heic = Buffer.from(read("plain.avif"));
    for (const at of [8, 16, 20, 24, 28]) heic.write("heic", at, "latin1");
    for (const bytes of [Buffer.alloc(100), Buffer.from("GIF88a______"), Buffer.from("PK\x03\x04"), heic])
      expect(imageSize(bytes)).toBe(undefined);
    const empty = Buffer.from(read("plain.png"));
    empty.fill(0, 16, 20);
    expect(imageSize(empty)).toBe(undefined);
  });
});

describe("a damaged picture", () => {
  it.each(names)("%s, cut anywhere, has its size or none; bytes behind its end are not read", (name) => {
    const whole = read(name);
    const size = imageSize(whole);
    for (let length = 0; length < whole.length; length += 1) {
      // The rest of the file lies behind the cut in the same memory, as do other files with a pool.
      const found = imageSize(whole.subarray(0, length));
      const alone = imageSize(new Uint8Array(whole.subarray(0, length)));
      expect(found).toEqual(alone);
      if (!name.startsWith("turned")) expect([undefined, size]).toContainEqual(found);
    }
    expect(imageSize(whole.subarray(0, 15))).toEqual(name.endsWith("gif") ? size : undefined);
  });

  it.each(names)("%s, with bytes changed, never throws", (name) => {
    let state = 20_261_126;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    for (let round = 0; round < 4000; round += 1) {
      const bytes = Buffer.from(read(name));
      for (let change = 0; change <= next(8); change += 1)
        bytes[next(Math.min(bytes.length, 400))] = next(256);
      const { width = 1, height = 1 } = imageSize(bytes) ?? {};
      expect(width > 0 && height > 0 && Number.isSafeInteger(width + height)).toBe(true);
    }
  });

  const size = 8_000_000;
  const many = (text: string): string => text.repeat(size / text.length);
  const avif = read("plain.avif").subarray(0, 32);
  it.each<[string, Buffer]>([
    ["comments", Buffer.from(many("<!--"))],
    ["ends of comments", Buffer.from(`<!--${many("--")}`)],
    ["tags", Buffer.from(many("<svg "))],
    ["attributes", Buffer.from(`<svg ${many('a="" ')}`)],
    ["spaces", Buffer.from(`<svg${" ".repeat(size)}`)],
    ["brackets", Buffer.from(`<!DOCTYPE ${many("[]")}`)],
    ["instructions", Buffer.from(many("<?"))],
    ["zeros behind a JPEG's beginning", Buffer.concat([Buffer.from("ffd8ff", "hex"), Buffer.alloc(size)])],
    ["filling", Buffer.concat([Buffer.from("ffd8", "hex"), Buffer.alloc(size, 0xff)])],
    ["short segments", Buffer.from(`ffd8${"ffe10002".repeat(size / 4)}`, "hex")],
    ["empty boxes", Buffer.concat([avif, Buffer.from("0000000866726565".repeat(size / 8), "hex")])],
  ])("of many %s is answered soon", (_what, bytes) => {
    const startedAt = performance.now();
    expect(imageSize(bytes)).toBe(undefined);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});
