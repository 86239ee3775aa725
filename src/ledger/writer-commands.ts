// Commands as words, with what those with a key are recognised by, for their way to the writer thread.

import type { Command, CommandEnvelope, ReleaseHolds, WalletCommand } from "../domain/command.ts";
import { requestIdentity } from "../domain/idempotency.ts";
import type { Decimal } from "../domain/money.ts";
import type { CurrencyCode, UserId } from "../domain/wallet.ts";
import { integerWord, optionalIntegerWord, WordReader, type Word } from "./writer-words.ts";

/** The commands as one text; `readCommands` makes the same of it again. */
export function writeCommands(commands: readonly Command[]): string {
  const words: Word[] = [];
  for (const command of commands) writeCommand(words, command);
  return JSON.stringify(words);
}

/** The commands that were written, in their order. */
export function readCommands(text: string): Command[] {
  const reader = new WordReader(text);
  const commands: Command[] = [];
  while (!reader.isAtEnd) commands.push(readCommand(reader));
  return commands;
}

function writeCommand(words: Word[], command: Command): void {
  if (command.type === "releaseHolds") {
    words.push(command.type, command.userId ?? null, command.currency ?? null, command.validateOnly);
  } else if (command.type === "executeBatch") {
    words.push(command.type, command.atomic, command.items.length);
    for (const item of command.items) writeWalletCommand(words, item);
  } else {
    writeWalletCommand(words, command);
  }
}

function readCommand(reader: WordReader): Command {
  const type = reader.next() as Command["type"];
  if (type === "releaseHolds") return readReleaseHolds(reader);
  if (type !== "executeBatch") return readWalletCommand(type, reader);
  const atomic = reader.next() as boolean;
  const items: WalletCommand[] = [];
  for (let left = reader.next() as number; left > 0; left--) items.push(readWalletCommand(reader.next() as WalletCommand["type"], reader));
  return { type, items, atomic };
}

function readReleaseHolds(reader: WordReader): ReleaseHolds {
  return { type: "releaseHolds", userId: reader.optional() as UserId | undefined, currency: reader.optional() as CurrencyCode | undefined, validateOnly: reader.next() as boolean };
}

function writeWalletCommand(words: Word[], command: WalletCommand): void {
  const { type, userId, idempotencyKey, reference, metadata, expectedVersion, validateOnly } = command;
  words.push(type, userId, idempotencyKey ?? null, reference, metadata, optionalIntegerWord(expectedVersion), validateOnly);
  if (idempotencyKey !== undefined) {
    // Worked out here: every call waits for the writer's time, and nothing of the ledger is needed for it.
    const { keyHash, fingerprint } = requestIdentity(command, idempotencyKey);
    words.push(keyHash, fingerprint);
  }
  switch (command.type) {
    case "initWallet":
      words.push(command.currency);
      return writeOptionalDecimal(words, command.balanceMax);
    case "addMoney":
      words.push(command.currency ?? null, optionalIntegerWord(command.relatedOperationId));
      return writeDecimal(words, command.amount);
    case "holdMoney":
      words.push(command.currency ?? null, command.holdPeriodMs ?? null);
      return writeDecimal(words, command.amount);
    case "reverseHold":
      words.push(integerWord(command.holdId));
      return;
    case "captureHold":
      words.push(integerWord(command.holdId), command.toUserId ?? null, command.isFinal);
      return writeDecimal(words, command.amount);
    case "extendHold":
      words.push(integerWord(command.holdId), command.holdPeriodMs);
      return;
    case "withdrawMoney":
      words.push(command.currency ?? null);
      return writeDecimal(words, command.amount);
    case "transferMoney":
      words.push(command.currency ?? null, command.toUserId);
      return writeDecimal(words, command.amount);
    case "freezeWallet":
    case "unfreezeWallet":
    case "closeWallet":
      words.push(command.currency ?? null);
      return;
    case "setWalletLimits":
      words.push(command.currency ?? null);
      return writeOptionalDecimal(words, command.balanceMax);
    default:
      return command satisfies never;
  }
}

/** Fields are read in the order in which they stand in each literal, which is the one in which they were written. */
function readWalletCommand(type: WalletCommand["type"], reader: WordReader): WalletCommand {
  const envelope = readEnvelope(reader);
  switch (type) {
    case "initWallet":
      return { type, ...envelope, currency: reader.next() as CurrencyCode, balanceMax: readOptionalDecimal(reader) };
    case "addMoney":
      return { type, ...envelope, currency: reader.optional() as CurrencyCode | undefined, relatedOperationId: reader.optionalInteger(), amount: readDecimal(reader) };
    case "holdMoney":
      return { type, ...envelope, currency: reader.optional() as CurrencyCode | undefined, holdPeriodMs: reader.optional() as number | undefined, amount: readDecimal(reader) };
    case "reverseHold":
      return { type, ...envelope, holdId: reader.integer() };
    case "captureHold":
      return { type, ...envelope, holdId: reader.integer(), toUserId: reader.optional() as UserId | undefined, isFinal: reader.next() as boolean, amount: readDecimal(reader) };
    case "extendHold":
      return { type, ...envelope, holdId: reader.integer(), holdPeriodMs: reader.next() as number };
    case "withdrawMoney":
      return { type, ...envelope, currency: reader.optional() as CurrencyCode | undefined, amount: readDecimal(reader) };
    case "transferMoney":
      return { type, ...envelope, currency: reader.optional() as CurrencyCode | undefined, toUserId: reader.next() as UserId, amount: readDecimal(reader) };
    case "freezeWallet":
    case "unfreezeWallet":
    case "closeWallet":
      return { type, ...envelope, currency: reader.optional() as CurrencyCode | undefined };
    case "setWalletLimits":
      return { type, ...envelope, currency: reader.optional() as CurrencyCode | undefined, balanceMax: readOptionalDecimal(reader) };
    default:
      // Words out of place would be somebody's money: what is no command is none.
      throw new Error(`no command is called ${String(type satisfies never)}`);
  }
}

function readEnvelope(reader: WordReader): CommandEnvelope {
  const userId = reader.next() as UserId;
  const idempotencyKey = reader.optional() as string | undefined;
  return {
    userId,
    idempotencyKey,
    reference: reader.next() as string,
    metadata: reader.next() as Record<string, string>,
    expectedVersion: reader.optionalInteger(),
    validateOnly: reader.next() as boolean,
    identity: idempotencyKey === undefined ? undefined : { keyHash: reader.next() as string, fingerprint: reader.next() as string },
  };
}

function writeDecimal(words: Word[], { unscaled, scale }: Decimal): void {
  words.push(integerWord(unscaled), scale);
}

function readDecimal(reader: WordReader): Decimal {
  return { unscaled: reader.integer(), scale: reader.next() as number };
}

function writeOptionalDecimal(words: Word[], decimal: Decimal | undefined): void {
  if (decimal === undefined) words.push(null);
  else writeDecimal(words, decimal);
}

function readOptionalDecimal(reader: WordReader): Decimal | undefined {
  const unscaled = reader.optionalInteger();
  return unscaled === undefined ? undefined : { unscaled, scale: reader.next() as number };
}
