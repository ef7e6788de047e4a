/**
 * Documents judged by html-validate, or by what is known of them already: what the same version of the tool and of the
 * library said of the same text under the same rules. Levels are laid over it later, so that changing one costs
 * nothing. Called by pages.ts. One thread: a second one cost as much as it gave where this was measured.
 */
import { sha256Hex } from "../../lib/util/digest.ts";
import { readCache, writeCache } from "./cache.ts";
import type { Finding } from "./rules.ts";
import { type HtmlRules, makeValidator, type Validator, validatorVersion } from "./validate.ts";

export interface JudgeOptions {
  readonly rules: HtmlRules;
  /** Where answers are kept; undefined where they are not. */
  readonly cacheFile: string | undefined;
  /** Version of this tool: our own rules are a part of it. */
  readonly tool: string;
}

export interface Judge {
  readonly judge: (document: string) => readonly Finding[];
  /** How many documents had to be validated so far. */
  readonly validated: () => number;
  /** Keeps what was asked for since it was opened, and nothing else. */
  readonly keep: () => void;
}

// Raised when our own rules (outline.ts) or our corrections (validate.ts) change within a version.
const ownForm = 1;

/** @throws NeedsHuman in `keep` if the cache cannot be written */
export function openJudge({ rules, cacheFile, tool }: JudgeOptions): Judge {
  const known =
    cacheFile === undefined ? new Map<string, readonly Finding[]>() : readCache(cacheFile, isFindings);
  const used = new Map<string, readonly Finding[]>();
  const seed = sha256Hex(JSON.stringify([tool, ownForm, validatorVersion(), rules]));
  let validate: Validator | undefined;
  let validated = 0;
  return {
    judge: (document) => {
      const key = sha256Hex(seed + document).slice(0, 32);
      let findings = used.get(key) ?? known.get(key);
      if (findings === undefined) {
        // Loading the library takes longer than all the rest where nothing changed.
        validate ??= makeValidator(rules);
        findings = validate(document);
        validated += 1;
      }
      used.set(key, findings);
      return findings;
    },
    validated: () => validated,
    keep: () => {
      if (cacheFile !== undefined && (validated > 0 || used.size !== known.size)) writeCache(cacheFile, used);
    },
  };
}

function isFindings(value: unknown): value is readonly Finding[] {
  const isOne = (one: Partial<Finding> | null): boolean =>
    typeof one?.rule === "string" && Number.isInteger(one.offset) && typeof one.message === "string";
  return Array.isArray(value) && value.every(isOne);
}
