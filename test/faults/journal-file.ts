// Reads the journal's rows from the file itself, past the service: which wish each operation comes from.

import Database from "better-sqlite3";
import type { Told } from "./told.ts";

export interface Reconciliation {
  /** Operations that were acknowledged and are not in the journal with their id and hash. */
  readonly lost: string[];
  /** Wishes that are in the journal more than once. */
  readonly doubled: string[];
  /** Operations that carry a reference which nobody was told was applied. */
  readonly strays: string[];
}

export interface JournalLine {
  readonly sequence: bigint;
  readonly operationId: bigint;
  /** In hexadecimal digits. */
  readonly hash: string;
  /** Empty for none. */
  readonly reference: string;
}

/** Compares the journal in a file that no process has open with what callers were told, by the reference of each operation. */
export function reconcile(path: string, told: ReadonlyMap<string, Told>): Reconciliation {
  return reconcileLines(journalLines(path), told);
}

/** The same for a journal whose lines were read already. */
export function reconcileLines(lines: Iterable<JournalLine>, told: ReadonlyMap<string, Told>): Reconciliation {
  const seen = new Set<string>();
  const found = new Set<string>();
  const doubled: string[] = [];
  const strays: string[] = [];
  for (const { reference, operationId, hash } of lines) {
    if (reference === "") continue;
    const expected = told.get(reference);
    if (seen.has(reference)) doubled.push(reference);
    seen.add(reference);
    if (expected === undefined) strays.push(reference);
    else if (expected.id === operationId && (expected.hash ?? hash) === hash) found.add(reference);
  }
  return { lost: [...told.keys()].filter((reference) => !found.has(reference)), doubled, strays };
}

/** Every line of a ledger's journal that has one partition, in order. A server may have the file open. */
export function* journalLines(path: string): Generator<JournalLine> {
  const connection = new Database(path, { readonly: true });
  connection.defaultSafeIntegers(true);
  try {
    const rows = connection.prepare<[], { sequence: bigint; operation_id: bigint; hash: Buffer; reference: string | null }>("select sequence, operation_id, hash, reference from journal order by sequence");
    for (const { sequence, operation_id: operationId, hash, reference } of rows.iterate()) {
      yield { sequence, operationId, hash: hash.toString("hex"), reference: reference ?? "" };
    }
  } finally {
    connection.close();
  }
}
