// Reads the journal's rows from the file itself, past the service: which intention each operation comes from.

import Database from "better-sqlite3";

/** What a caller was told of an operation. */
export interface Told {
  readonly id: bigint;
  readonly hash: string;
}

export interface Reconciliation {
  /** Operations that were acknowledged and are not in the journal with their id and hash. */
  readonly lost: string[];
  /** Intentions that are in the journal more than once. */
  readonly doubled: string[];
  /** Operations that carry a reference which nobody was told was applied. */
  readonly strays: string[];
}

/** Compares the journal in a file that no process has open with what callers were told, by the reference of each operation. */
export function reconcile(path: string, told: ReadonlyMap<string, Told>): Reconciliation {
  const connection = new Database(path, { readonly: true });
  connection.defaultSafeIntegers(true);
  const found = new Set<string>();
  const doubled: string[] = [];
  const strays: string[] = [];
  try {
    const rows = connection.prepare<[], { reference: string; operation_id: bigint; hash: Buffer }>("select reference, operation_id, hash from journal where reference is not null");
    for (const { reference, operation_id: id, hash } of rows.iterate()) {
      const expected = told.get(reference);
      if (found.has(reference)) doubled.push(reference);
      else if (expected === undefined) strays.push(reference);
      else if (expected.id === id && expected.hash === hash.toString("hex")) found.add(reference);
    }
  } finally {
    connection.close();
  }
  return { lost: [...told.keys()].filter((reference) => !found.has(reference)), doubled, strays };
}
