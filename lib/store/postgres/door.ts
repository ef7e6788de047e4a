/**
 * All of PostgreSQL's half that programs use, loaded only where a site has chosen it (lib/store/open.ts); in the programs of another site
 * the build puts nothing in its place (build/bundle.ts). It brings the driver along.
 */
export { connect, sessionWords } from "./connection.ts";
export { withServerLock } from "./lock.ts";
export { openPostgres } from "./store.ts";
