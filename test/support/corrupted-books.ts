// A real ledger made from a history, and what the checker of the books says of copies of it that were tampered with.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { LedgerRules } from "../../src/domain/rules.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { toCommand, type Asked } from "./asked.ts";
import { checkBooks } from "./books.ts";
import { sealOf, type JournalRow } from "./canonical-bytes.ts";
import { copySqliteLedger, engines } from "./engines.ts";
import { hourMs, startMs, storyRules } from "./given.ts";

export interface TamperedLedger {
  /** The ledger itself, untouched. */
  readonly path: string;
  /** What the checker says of a copy of the ledger after this was done to it. */
  problemsAfter(corrupt: (db: Database.Database) => void): string[];
  /** The same, after every record was given the hash that its content then needs. */
  problemsAfterResealing(corrupt: (db: Database.Database) => void): string[];
  remove(): Promise<void>;
}

interface Played {
  /** Keys of the requests that need not be granted. */
  readonly refused?: readonly string[];
  /** The rules at this batch's time. */
  readonly rulesAt?: (batch: number) => LedgerRules;
}

/** Plays one batch a line, a minute between them, of which every request must be granted but the refused ones. */
export async function tamperedLedger(history: readonly (readonly Asked[])[], { refused = [], rulesAt = () => storyRules }: Played = {}): Promise<TamperedLedger> {
  const folder = mkdtempSync(join(tmpdir(), "wallet-books-"));
  const copy = join(folder, "copy.db");
  const ledger = await engines[0]!.open();
  let nowMs = startMs;
  const store = await ledger.openStore(() => nowMs);
  for (const [number, batch] of history.entries()) {
    const answers = await executorOn(store, rulesAt(number)).execute(batch.map(toCommand));
    answers.forEach((answer, index) => {
      const asked = batch[index]!;
      const mayBeRefused = "key" in asked && asked.key !== undefined && refused.includes(asked.key);
      if (answer.type === "rejected" && !mayBeRefused) throw new Error(`${asked.type} in a history was refused: ${answer.rejection.reason}`);
    });
    nowMs += 60_000;
  }
  await store.close();

  const problemsAfter = (corrupt: (db: Database.Database) => void): string[] => {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
    copySqliteLedger(ledger.path, copy);
    const db = new Database(copy);
    db.pragma("ignore_check_constraints = on");
    corrupt(db);
    db.close();
    return checkBooks(copy, { idempotencyRetentionMs: hourMs }).problems;
  };
  return {
    path: ledger.path,
    problemsAfter,
    problemsAfterResealing: (corrupt) =>
      problemsAfter((db) => {
        corrupt(db);
        reseal(db);
      }),
    async remove() {
      await ledger.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Gives every record the hash that its content now needs, as someone would who wants to hide a change. */
function reseal(db: Database.Database): void {
  db.defaultSafeIntegers(true);
  let hash: Uint8Array = new Uint8Array(32);
  for (const row of db.prepare<[], JournalRow>("select * from journal order by sequence").all()) {
    hash = sealOf(hash, row);
    db.prepare("update journal set hash = ? where sequence = ?").run(hash, row.sequence);
  }
  db.prepare("update ledger_head set hash = ?").run(hash);
}
