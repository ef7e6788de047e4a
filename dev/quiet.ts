/** What is done once a burst of calls is over. Called by dev/serve. */

export interface Quiet {
  readonly call: () => void;
  /** Forgets what was called. */
  readonly cancel: () => void;
}

export function whenQuiet(ms: number, act: () => void): Quiet {
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => clearTimeout(timer);
  const call = (): void => {
    cancel();
    timer = setTimeout(act, ms);
  };
  return { call, cancel };
}
