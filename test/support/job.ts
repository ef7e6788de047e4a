/** A job run in this process as its front door would run it, on a test's books. */
import type { Job, JobContext } from "../../jobs/run.ts";
import type { Secrets, Settings } from "../../lib/util/settings.ts";
import { meters } from "./books.ts";
import { makeSettings, packageRenderer } from "./site.ts";
import type { TestStore } from "./store.ts";

export interface JobRun {
  readonly outcome: "done" | "refused" | "misused";
  readonly said: readonly string[];
  readonly complained: readonly string[];
}

export async function runTestJob(
  test: TestStore,
  job: Job,
  words: readonly string[],
  values: Readonly<Record<string, string | boolean>> = {},
  change: { readonly secrets?: Secrets; readonly settings?: Partial<Settings> } = {},
): Promise<JobRun> {
  const said: string[] = [];
  const complained: string[] = [];
  const context: JobContext = {
    settings: { ...(await makeSettings()), meters, ...change.settings },
    secrets: change.secrets ?? {},
    place: {
      dataFolder: test.folder,
      secretsFile: "",
      urlOverride: "",
      mailToFolder: false,
      storeInFolder: false,
      operator: "",
    },
    database: test.books,
    openStore: () => test.store,
    renderer: await packageRenderer(),
    clock: test.clock,
    say: (...lines) => void said.push(lines.join("\n")),
    complain: (line) => void complained.push(line),
  };
  return { outcome: await job.run(context, { words, values }), said, complained };
}
