import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { onBoth, onBothAlone } from "./test/support/engines.ts";
import { serverPrograms } from "./test/support/server.ts";

const chosen = process.env.ENGINES === "all" ? [...onBoth, ...onBothAlone] : onBoth;

/** Once more, with the books on a PostgreSQL server; where none is installed, test/23-server says so by being skipped. */
const onServer: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "postgres",
    include: serverPrograms === undefined ? [] : chosen.map((name) => `test/${name}.test.ts`),
    env: { STORE_ENGINE: "postgres" },
    globalSetup: ["test/support/cluster.ts"],
    // After all others, which have the machine to themselves; a server does two things at once.
    maxWorkers: 2,
    sequence: { groupOrder: 1 },
  },
};

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "sqlite", include: ["test/**/*.test.ts"] } },
      ...(serverPrograms === undefined ? [] : [onServer]),
    ],
  },
});
