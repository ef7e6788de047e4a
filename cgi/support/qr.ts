/** A picture that a telephone reads: the modules of a QR code as one path, a square of 1 each. */
import { encode } from "uqr";

/** `size` is its width and height in modules, with the quiet zone of four that the standard asks for. */
export function drawQr(text: string): { readonly size: number; readonly path: string } {
  const { size, data } = encode(text, { border: 4 });
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size, path: path.join("") };
}
