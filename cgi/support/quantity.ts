/** Quantities for people: exact digits, and what they come to in the units that people say. */

const units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];

/** 259688348 -> "259,688,348". */
export function groupDigits(quantity: bigint): string {
  return String(quantity).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Bytes in decimal units with three digits: 259688348 -> "259 MB", 1500 -> "1.50 kB"; cut, not rounded up. */
export function sayBytes(bytes: bigint): string {
  let place = 0;
  let scale = 1n;
  while (place < units.length - 1 && bytes >= scale * 1000n) {
    place += 1;
    scale *= 1000n;
  }
  const hundredths = String((bytes * 100n) / scale).padStart(3, "0");
  const whole = hundredths.slice(0, -2);
  const decimals = place === 0 ? 0 : Math.max(0, 3 - whole.length);
  const fraction = hundredths.slice(-2).slice(0, decimals);
  return `${whole}${fraction === "" ? "" : `.${fraction}`} ${units[place] ?? ""}`;
}
