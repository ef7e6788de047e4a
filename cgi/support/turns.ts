/** Work that must wait its turn within a process: so many at once, the others in the order in which they came. */
export function makeTurns(count: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The turn is handed on, or given back.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
