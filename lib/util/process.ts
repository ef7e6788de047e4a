/** Other processes of this machine, by their numbers. */
import { hasCode } from "./failure.ts";

/** Whether a process of this number runs now, whoever owns it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, ["ESRCH"]);
  }
}
