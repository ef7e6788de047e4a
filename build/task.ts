/** What one run of the builder is about: passed on unchanged from its front door to the stages. */
import type { Clock } from "../lib/util/clock.ts";
import type { Choice } from "./choice.ts";
import type { Fault } from "./fault.ts";
import type { Package } from "./package.ts";
import type { Source } from "./sources.ts";
import type { Stages } from "./stages.ts";

export interface Task {
  /** Both absolute. */
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly home: Package;
  readonly clock: Clock;
  readonly choice: Choice;
  readonly stages: Stages;
  /** The sources that were found, and what is wrong with their names. */
  readonly walked: { readonly sources: readonly Source[]; readonly faults: readonly Fault[] };
  /** All that the build depends on besides them (inputs.ts); undefined where nothing can be kept. */
  readonly inputs: string | undefined;
  /** The layouts that were read for that, by absolute path. */
  readonly read: ReadonlyMap<string, Buffer>;
}
