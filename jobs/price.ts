/** `price explain --day DAY --meter NAME --quantity NUMBER`: what that costs, step by step, for whoever works it out by hand. */
import { explainCharge } from "../lib/money/price.ts";
import { largestQuantity } from "../lib/usage/file.ts";
import { parseDay } from "../lib/util/clock.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "explain --day DAY --meter NAME --quantity NUMBER",
  options: { day: { type: "string" }, meter: { type: "string" }, quantity: { type: "string" } },
  run: async (context, { values, words }) => {
    const { day: dayText, meter: name, quantity: quantityText } = values;
    if (words.join(" ") !== "explain") return "misused";
    if (typeof dayText !== "string" || typeof name !== "string" || typeof quantityText !== "string")
      return "misused";
    const day = parseDay(dayText);
    const { meters } = context.settings;
    const meter = meters.find((one) => one.name === name);
    const complain = (message: string): "misused" => {
      context.complain(`price: ${message}`);
      return "misused";
    };
    if (day === undefined) return complain(`"${dayText}" is no day; write it as 2026-11-23`);
    if (meter === undefined)
      return complain(`there is no meter "${name}"; there are: ${meters.map((one) => one.name).join(", ")}`);
    if (!/^\d{1,18}$/.test(quantityText) || BigInt(quantityText) > largestQuantity)
      return complain(`"${quantityText}" is no whole quantity of at most ${largestQuantity}`);
    const steps = explainCharge(meter, day, BigInt(quantityText));
    if (steps === undefined) {
      context.complain(
        `price: meter "${name}" has no price on ${day}; its first one is of ${meter.prices[0]?.fromDay}`,
      );
      return "refused";
    }
    for (const line of steps) context.say(line);
    return "done";
  },
};
