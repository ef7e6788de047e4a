/**
 * `npm start`: sets up what is missing, then serves the project's own site until Ctrl-C. PORT and SITE_DATA
 * change the port and the data folder. The server runs in this very process, so nothing stands between it and
 * the signals that end it.
 */
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setUp } from "./setup.mjs";

await setUp({ quiet: true });
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, "out", "cli", "site.cjs");
const { PORT: port = "" } = process.env;
const words = ["serve", "--source", root, ...(port === "" ? [] : ["--port", port])];
process.argv = [process.execPath, program, ...words, ...process.argv.slice(2)];
await import(pathToFileURL(program).href);
