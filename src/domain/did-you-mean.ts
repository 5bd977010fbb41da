/** Names that were meant, of those that are there. */

/** Among more names than this nothing is looked for: with a fault in each of 10,000 routes it would take minutes. */
const MOST_NAMES = 1000;
/** Nor for a longer one: no name is. */
const MOST_LETTERS = 100;

/** `; did you mean "weight"?` when a name comes near enough to the one written, or nothing. */
export function didYouMean(written: string, names: readonly string[]): string {
  if (names.length > MOST_NAMES || written.length > MOST_LETTERS) return '';
  let best: string | undefined;
  let least = Math.min(3, Math.floor(written.length / 2) + 1);
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best === undefined ? '' : `; did you mean ${JSON.stringify(best)}?`;
}

/** What is answered to the name of a route that is not there. */
export function noSuchRoute(name: string, names: readonly string[]): string {
  return `Route "${name}" is not configured here${didYouMean(name, names)}`;
}

/** Letters to insert, remove, replace or swap with their neighbour to make one text the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] as number) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}
