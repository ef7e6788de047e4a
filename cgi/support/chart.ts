/** Bars of a month, one a day, as shapes for a template to draw: numbers in, numbers out. */
import type { Amount } from "../../lib/money/amount.ts";

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** What the bar is of, in words. */
  readonly title: string;
}

export interface Chart {
  readonly width: number;
  readonly height: number;
  /** Where the bars stand. */
  readonly base: number;
  readonly bars: readonly Bar[];
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
}

const [width, height, base, top] = [640, 200, 165, 8];
const tickDays = [1, 8, 15, 22, 29];

/** `amounts` are those of the days of a month from its first on, none below zero; a day of nothing has no bar. */
export function drawMonth(days: readonly { readonly amount: Amount; readonly title: string }[]): Chart {
  const most = days.reduce((largest, { amount }) => (amount > largest ? amount : largest), 0n);
  const step = width / Math.max(days.length, 1);
  const bars = days.flatMap(({ amount, title }, place): Bar[] => {
    if (amount <= 0n || most === 0n) return [];
    // In ten-thousandths, so that no amount passes through a number; a pixel at least, so that it is seen.
    const share = Number((amount * 10_000n) / most) / 10_000;
    const tall = Math.max(1, round(share * (base - top)));
    return [
      { x: round(place * step + 2), y: round(base - tall), width: round(step - 4), height: tall, title },
    ];
  });
  const ticks = tickDays
    .filter((day) => day <= days.length)
    .map((day) => ({ x: round((day - 0.5) * step), label: String(day) }));
  return { width, height, base, bars, ticks };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
