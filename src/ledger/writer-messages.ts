// What the main thread and the writer thread say to each other.

import type { Answer } from "../domain/answer.ts";
import type { Command } from "../domain/command.ts";

/** What the writer thread is started with: plain data, since functions cannot be sent. */
export interface WriterSettings {
  readonly databasePath: string;
  readonly assets: ReadonlyMap<string, number>;
  readonly holdPeriodMs: number;
  readonly autoRelease: boolean;
  readonly idempotencyRetentionMs: number;
}

export type ToWriter = { readonly type: "execute"; readonly batchId: number; readonly commands: readonly Command[] } | { readonly type: "close" };

export type FromWriter =
  | { readonly type: "ready" }
  /** The ledger could not be opened; `sentence` is for people, and absent where the failure is a defect. */
  | { readonly type: "notOpened"; readonly sentence: string | undefined; readonly message: string }
  | { readonly type: "answers"; readonly batchId: number; readonly answers: readonly Answer[] }
  | { readonly type: "failed"; readonly batchId: number; readonly fault: "unavailable" | "unknown" | "defect"; readonly message: string }
  | { readonly type: "closed" };
