// The entry of a verifier thread: one verification on a connection of its own that cannot write, and then the thread's end. It may be ended at any time.

import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { FromVerifier, VerifierSettings } from "./ledger/verifier-messages.ts";
import { StartError } from "./start-error.ts";
import { verifyLedger } from "./store/audit/verification.ts";
import { openSqliteAudit } from "./store/sqlite/sqlite-audit.ts";
import { openSqliteScratch } from "./store/sqlite/sqlite-scratch.ts";
import { StoreFault } from "./store/store.ts";
import type { Audit } from "./store/audit/audit.ts";

if (parentPort === null) throw new Error("verifier.ts runs as a worker thread");
const port = parentPort;
const send = (message: FromVerifier): void => port.postMessage(message);

const { database, idempotencyRetentionMs } = workerData as VerifierSettings;

/** Progress is told at most this often, in milliseconds: people read it. */
const progressIntervalMs = 300;

async function verify(audit: Audit): Promise<void> {
  const scratch = openSqliteScratch();
  let toldMs = -Infinity;
  try {
    const result = await verifyLedger(audit, scratch, {
      idempotencyRetentionMs,
      async afterStep(progress) {
        // A turn of the event loop, in which what was told is sent.
        await nextTurn();
        if (performance.now() - toldMs < progressIntervalMs) return;
        toldMs = performance.now();
        send({ type: "progress", ...progress });
      },
    });
    send({ type: "result", ...result });
  } catch (error) {
    send({ type: "failed", fault: error instanceof StoreFault ? "unavailable" : "defect", message: messageOf(error) });
  } finally {
    scratch.close();
    await audit.close();
  }
}

async function opened(): Promise<Audit | undefined> {
  try {
    if (database.kind === "sqlite") return openSqliteAudit(database.path);
    const { openPostgresAudit } = await import("./store/postgres/postgres-audit.ts");
    return await openPostgresAudit(database.url);
  } catch (error) {
    send({ type: "notOpened", sentence: error instanceof StartError ? error.message : undefined, message: messageOf(error) });
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const audit = await opened();
if (audit !== undefined) await verify(audit);
port.close();
