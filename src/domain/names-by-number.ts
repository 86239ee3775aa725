// From the numbers that kinds, states and statuses are stored and sent as, back to their names.

/** The table the other way round. A number that is not in it has no name. */
export function namesByNumber<Name extends string>(numbers: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> {
  return new Map(Object.entries<number>(numbers).map(([name, number]) => [number, name as Name]));
}
