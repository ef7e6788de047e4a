/**
 * Faults of a site's sources: what every stage of the build reports, each with its file and line. A build
 * collects all of them and publishes nothing while one stands.
 */

export interface Fault {
  /** Path from the site's folder, "content/docs/index.html". */
  readonly file: string;
  /** From 1, front matter counted; 0 where the file as a whole is meant. */
  readonly line: number;
  /** From 1, where it is known. */
  readonly column?: number;
  readonly message: string;
}

/** Line and column of an offset in a text, both from 1. */
export function locate(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf("\n");
  return { line: before.split("\n").length, column: offset - lastBreak };
}

/** Places of one text, quick also where there are many of them. */
export function makeLocator(text: string): (offset: number) => ReturnType<typeof locate> {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** In the order of files and lines, each fault once, and none longer than a person reads. */
export function sortFaults(faults: readonly Fault[]): readonly Fault[] {
  const byPlace = faults
    .map(shorten)
    .sort(
      (a, b) =>
        compareText(a.file, b.file) ||
        a.line - b.line ||
        (a.column ?? 0) - (b.column ?? 0) ||
        compareText(a.message, b.message),
    );
  return byPlace.filter((fault, index) => JSON.stringify(fault) !== JSON.stringify(byPlace[index - 1]));
}

const longestMessage = 1000;

/** An address of a megabyte is told by its two ends. */
function shorten<One extends Fault>(fault: One): One {
  const { message } = fault;
  if (message.length <= longestMessage) return fault;
  const half = longestMessage / 2;
  return { ...fault, message: `${message.slice(0, half)} [...] ${message.slice(-half)}` };
}

/** `content/faq.md:12:3: message`, as editors understand it. */
export function formatFault(fault: Fault): string {
  const line = fault.line === 0 ? "" : `:${fault.line}`;
  const column = fault.column === undefined ? "" : `:${fault.column}`;
  return `${fault.file}${line}${column}: ${fault.message}`;
}

/**
 * The line that a fault stands in, of the lines of its file, with a mark below its column, as two lines to print behind the fault;
 * none where only the file is known. A long line is cut around the column.
 */
export function showLine(fault: Fault, lines: readonly string[]): readonly string[] {
  const line = lines[fault.line - 1];
  if (line === undefined || line.trim() === "") return [];
  const column = Math.min(fault.column ?? 0, line.length + 1);
  const from = column > shownWidth - 20 ? column - shownWidth / 2 : 0;
  const shown = line.slice(from, from + shownWidth).replace(/[\t\p{Cc}]/gu, " ");
  const number = String(fault.line);
  const first = `  ${number} | ${shown}`;
  if (column === 0) return [first];
  return [first, `  ${" ".repeat(number.length)} | ${" ".repeat(column - from - 1)}^`];
}

const shownWidth = 96;

/** By code point, the same on every machine, whatever its locale. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The known word that a misspelt one is nearest to, as a question to put behind a message; "" if none is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const wanted = word.toLowerCase();
  let nearest: string | undefined;
  let least = Math.min(3, Math.floor(word.length / 2)) + 1;
  for (const candidate of known) {
    // A difference in length is a distance: what is much longer is not even compared.
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), least - 1);
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}

/** Anything above `limit` stands for all that is farther: most words are given up after a few letters. */
function editDistance(leftWord: string, rightWord: string, limit: number): number {
  const [left, right] = cutEnds(leftWord, rightWord);
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= right.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const distance = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap);
      next.push(distance);
      if (distance < least) least = distance;
    }
    if (least > limit) return least;
    row = next;
  }
  return row[right.length] ?? 0;
}

/** Without what they begin and end with alike, which is most of two addresses of one folder. */
function cutEnds(left: string, right: string): readonly [string, string] {
  let start = 0;
  while (start < left.length && left.charCodeAt(start) === right.charCodeAt(start)) start += 1;
  let [leftEnd, rightEnd] = [left.length, right.length];
  while (
    leftEnd > start &&
    rightEnd > start &&
    left.charCodeAt(leftEnd - 1) === right.charCodeAt(rightEnd - 1)
  )
    [leftEnd, rightEnd] = [leftEnd - 1, rightEnd - 1];
  return [left.slice(start, leftEnd), right.slice(start, rightEnd)];
}
