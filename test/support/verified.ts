// Verifies a ledger in this thread, as the service's verifier thread does.

import { setImmediate as nextTurn } from "node:timers/promises";
import { openSqliteAudit } from "../../src/store/sqlite/sqlite-audit.ts";
import { openSqliteScratch } from "../../src/store/sqlite/sqlite-scratch.ts";
import type { VerificationResult } from "../../src/domain/audit/verification-report.ts";
import { verifyLedger } from "../../src/store/audit/verification.ts";

/** Verifies the ledger in this file. `afterStep` is called between two snapshots. */
export async function verified(
  path: string,
  { idempotencyRetentionMs, afterStep = nextTurn }: { idempotencyRetentionMs: number; afterStep?: () => Promise<unknown> },
): Promise<VerificationResult> {
  const audit = openSqliteAudit(path);
  const scratch = openSqliteScratch();
  try {
    return await verifyLedger(audit, scratch, { idempotencyRetentionMs, afterStep: async () => void (await afterStep()) });
  } finally {
    scratch.close();
    await audit.close();
  }
}
