// What the writer thread and those who write through it say to each other.

import type { MessagePort } from "node:worker_threads";
import type { ForReaders } from "../store/store.ts";
import type { AnswerWords } from "./writer-answers.ts";

/** What the writer thread is started with: plain data, since functions cannot be sent. */
export interface WriterSettings {
  readonly databasePath: string;
  /** Of a new ledger. */
  readonly partitions: number;
  readonly assets: ReadonlyMap<string, number>;
  readonly holdPeriodMs: number;
  readonly autoRelease: boolean;
  readonly idempotencyRetentionMs: number;
  /** Operations that one commit gathers. */
  readonly batchLengthMax: number;
}

/** Through any door. */
export interface ToDoor {
  readonly type: "execute";
  readonly batchId: number;
  /** Of `writeCommands`. */
  readonly commands: string;
}

/** Through the thread's own channel only, which is a door too. */
export type ToWriter = ToDoor | { readonly type: "open"; readonly door: MessagePort } | { readonly type: "close" };

export type FromDoor =
  | { readonly type: "answers"; readonly batchId: number; readonly answers: AnswerWords }
  | { readonly type: "failed"; readonly batchId: number; readonly fault: "unavailable" | "unknown" | "defect"; readonly message: string }
  /** Others have committed something. A hint: it may come late, and one may stand for many. */
  | { readonly type: "grown" };

export type FromWriter =
  | FromDoor
  | { readonly type: "ready"; readonly forReaders: ForReaders }
  /** The ledger could not be opened; `sentence` is for people, and absent where the failure is a defect. */
  | { readonly type: "notOpened"; readonly sentence: string | undefined; readonly message: string }
  /** The outcome of a commit is unknown, all of whose commands came through other doors. */
  | { readonly type: "inDoubt"; readonly message: string }
  | { readonly type: "closed" };
