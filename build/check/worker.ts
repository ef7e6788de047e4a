/** A thread that validates documents, one message and one answer each. Started by spread.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { type HtmlRules, makeValidator } from "./validate.ts";

const validating = makeValidator(workerData as HtmlRules);

parentPort?.on("message", async (document: string) => {
  const validate = await validating;
  parentPort?.postMessage(validate(document));
});
