// The known name that a mistyped one most likely meant.

/** Single-character changes. More than a third of a name changed is another name, not a typing error. */
const changesMaxOf = (name: string): number => Math.max(2, Math.floor(name.length / 3));

/** The name nearest to `given`: one that it begins or that begins it, else the one with the fewest changes; undefined when none is near. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const beginning = names.find((name) => given.length > 2 && (name.startsWith(given) || given.startsWith(name)));
  if (beginning !== undefined) return beginning;
  const ranked = names.map((name) => ({ name, changes: changesBetween(given, name) })).toSorted((a, b) => a.changes - b.changes);
  const best = ranked[0];
  return best !== undefined && best.changes <= changesMaxOf(given) ? best.name : undefined;
}

/** Levenshtein's distance: insertions, deletions and substitutions of one character that turn one text into the other. */
function changesBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, character] of from.split("").entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const substitution = (row[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(substitution, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
