/** What runs before and after all files of the project "postgres": one server for them, with migrated books to copy from. */
import type { TestProject } from "vitest/node";
import { migrateBooks } from "../../lib/store/upgrade.ts";
import { addressOf, askServer, type Cluster, makeCluster } from "./server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    readonly cluster: { readonly folder: string; readonly user: string };
  }
}

/** Books of this schema that nobody opens: each test has a copy. */
export const templateName = "template_books";

let cluster: Cluster | undefined;

export async function setup(project: TestProject): Promise<void> {
  cluster = makeCluster();
  const { folder, user } = cluster;
  const admin = { folder, user, database: "postgres" };
  askServer(admin, `CREATE DATABASE ${templateName}`);
  const postgres = { address: addressOf(cluster, templateName), password: undefined };
  await migrateBooks({ file: "", clock: { now: () => Date.parse("2026-11-23T08:00:00Z") }, postgres });
  askServer(admin, undefined);
  project.provide("cluster", { folder, user });
}

export function teardown(): void {
  cluster?.end();
}
