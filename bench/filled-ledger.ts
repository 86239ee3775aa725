// Fills a ledger through its own queue and writer thread: so many wallets, each with a million in it.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "../src/domain/answer.ts";
import type { Command } from "../src/domain/command.ts";
import { parseDecimal } from "../src/domain/money.ts";
import type { CurrencyCode, UserId } from "../src/domain/wallet.ts";
import { CommandQueue } from "../src/ledger/command-queue.ts";
import { startWriterThread } from "../src/ledger/writer-thread.ts";
import { newFolder } from "./processes.ts";
import { userIdOf } from "./requests.ts";

/** The service's defaults; the same commands share a commit as would there. */
const limits = { queueLengthMax: 16_384, batchLengthMax: 1_024 };
const commandsAtATime = 8_000;
const firstAmount = parseDecimal("1000000.00")!;

/** The ledger's door: a queue in front of the real writer thread on a file. */
export interface Door {
  submit(command: Command): Promise<Answer>;
  close(): Promise<void>;
}

export async function openDoor(databasePath: string): Promise<Door> {
  const settings = { databasePath, partitions: 1, assets: new Map<string, number>(), holdPeriodMs: 600_000, autoRelease: false, idempotencyRetentionMs: 30 * 86_400_000, batchLengthMax: limits.batchLengthMax };
  const writer = await startWriterThread(new URL("../src/writer.ts", import.meta.url), settings);
  const queue = new CommandQueue(writer, limits);
  const close = async (): Promise<void> => {
    await queue.close();
    await writer.close();
  };
  return { submit: (command) => queue.submit(command), close };
}

export async function fillLedger(databasePath: string, wallets: number): Promise<void> {
  const door = await openDoor(databasePath);
  for (let first = 0; first < wallets; first += commandsAtATime / 2) {
    const commands = firstCommands(first, Math.min(commandsAtATime / 2, wallets - first));
    const answers = await Promise.all(commands.map((command) => door.submit(command)));
    if (answers.some((answer) => answer.type !== "applied")) throw new Error("the ledger could not be filled");
  }
  await door.close();
}

/** Opens so many wallets from this one on, with a million in each. */
export function firstCommands(firstUser: number, wallets: number): Command[] {
  return Array.from({ length: wallets }, (_, index) => userIdOf(firstUser + index) as UserId).flatMap((userId): Command[] => {
    const envelope = { userId, currency: "USD" as CurrencyCode, idempotencyKey: undefined, reference: "", metadata: {}, expectedVersion: undefined, validateOnly: false };
    return [
      { type: "initWallet", ...envelope, balanceMax: undefined },
      { type: "addMoney", ...envelope, amount: firstAmount, relatedOperationId: undefined },
    ];
  });
}

/** The filled ledgers of this run, by their wallets. */
const templates = new Map<number, string>();

/** The path of a ledger of one's own with so many wallets: a copy, since filling takes longer than copying. */
export async function filledLedger(wallets: number): Promise<string> {
  let template = templates.get(wallets);
  if (template === undefined) {
    template = join(newFolder(), "wallet.db");
    await fillLedger(template, wallets);
    templates.set(wallets, template);
  }
  const path = join(newFolder(), "wallet.db");
  copyFileSync(template, path);
  return path;
}
