import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { onBoth, onBothAlone } from "./test/support/engines.ts";
import { serverPrograms } from "./test/support/server.ts";

const chosen = process.env.ENGINES === "all" ? [...onBoth, ...onBothAlone] : onBoth;

/** Of the books and the accounts, and of builds: each in folders of its own, and none of them measures time. */
const calm = "test/{11,12,13,14,15,16,2?,30,4[1-7],5?,6[0-8]}-*.test.ts";

/** After all others, which have the machine to themselves. */
const twoAtOnce = { maxWorkers: 2, sequence: { groupOrder: 1 } };

/** Once more, with the books on a PostgreSQL server; where none is installed, test/23-server says so by being skipped. */
const onServer: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "postgres",
    include: serverPrograms === undefined ? [] : chosen.map((name) => `test/${name}.test.ts`),
    env: { STORE_ENGINE: "postgres" },
    globalSetup: ["test/support/cluster.ts"],
    ...twoAtOnce,
  },
};

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "sqlite", include: ["test/**/*.test.ts"], exclude: [calm], maxWorkers: 1 },
      },
      { extends: true, test: { name: "calm", include: [calm], ...twoAtOnce } },
      ...(serverPrograms === undefined ? [] : [onServer]),
    ],
  },
});
