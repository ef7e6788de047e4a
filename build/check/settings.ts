/**
 * etc/check.yaml, which a site need not have: levels of rules, the budget of a page, and hosts that are not asked. Read
 * by `site check` alone; programs and builds never see it. Called by check.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { didYouMean, type Fault } from "../fault.ts";
import {
  readChoice,
  readGroup,
  readKeys,
  readSection,
  readTexts,
  readWhole,
  readYaml,
  type Section,
} from "../section.ts";
import { readUtf8 } from "../text.ts";
import { htmlRules, type Level, ownRules } from "./rules.ts";
import { hasHtmlRule } from "./validate.ts";

export interface CheckSettings {
  /** Only the rules that are set. */
  readonly levels: ReadonlyMap<string, Level>;
  /** What a page may weigh with its pictures, styles, and scripts, in bytes. */
  readonly budgetBytes: number;
  /** Hosts that `--external` does not ask. */
  readonly ignoredHosts: readonly string[];
}

const file = "etc/check.yaml";

// What a slow telephone line (1.6 Mbit/s, the one Lighthouse measures by) carries in five seconds.
const budgetKilobytes = 1000;

/** Where there are faults, the settings are only good for finding more faults. */
export function readCheckSettings(sourceFolder: string): {
  readonly settings: CheckSettings;
  readonly faults: readonly Fault[];
} {
  const keys = ["rules", "budget", "external"];
  const path = join(sourceFolder, file);
  const text = existsSync(path) ? readUtf8(path) : "";
  const standIn = readYaml(file, "", keys);
  const { section, faults } =
    typeof text === "string"
      ? readYaml(file, text, keys)
      : { section: undefined, faults: [{ file, ...text }] };
  const top = section ?? standIn.section;
  if (top === undefined) throw new Error("assertion failed: an empty file can be read");
  const rules = readSection(top, "rules");
  const levels = rules === undefined ? new Map<string, Level>() : readLevels(rules);
  const budget = readWhole(top, "budget", { least: 1, most: 1_000_000, fallback: budgetKilobytes });
  const external = readGroup(top, "external", ["ignore"]);
  const ignoredHosts = readTexts(external, "ignore").map((host) => host.toLowerCase());
  return { settings: { levels, budgetBytes: budget * 1000, ignoredHosts }, faults };
}

function readLevels(rules: Section): ReadonlyMap<string, Level> {
  const known = [...Object.keys(ownRules), ...Object.keys(htmlRules)];
  const levels = new Map<string, Level>();
  for (const { name, offset } of readKeys(rules)) {
    if (!known.includes(name) && !hasHtmlRule(name)) {
      const hint = didYouMean(name, known) || `; our own are ${Object.keys(ownRules).join(", ")}`;
      rules.reader.report(offset, `there is no rule "${name}"${hint}`);
      continue;
    }
    const level = readChoice(rules, name, ["error", "warn", "off"]);
    if (level !== undefined) levels.set(name, level);
  }
  return levels;
}
