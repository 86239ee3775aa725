// Commands and answers on their way between the threads: what is read is what was written, as the structured clone of it would be.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Answer, AppliedItem, RejectedAnswer } from "../../../src/domain/answer.ts";
import type { Command, CommandEnvelope, WalletCommand } from "../../../src/domain/command.ts";
import type { HoldOrigin } from "../../../src/domain/hold.ts";
import { requestIdentity } from "../../../src/domain/idempotency.ts";
import type { Decimal } from "../../../src/domain/money.ts";
import type { CurrencyCode, UserId, WalletIdentity, WalletName } from "../../../src/domain/wallet.ts";
import { readAnswers, writeAnswers } from "../../../src/ledger/writer-answers.ts";
import { readCommands, writeCommands } from "../../../src/ledger/writer-commands.ts";
import { draftRecord, metadata, rejection } from "../../support/arbitrary.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
/** Around what a number carries exactly, and beyond 64 bits, as an amount of 64 digits is. */
const integer = fc.oneof(fc.bigInt(0n, 1000n), fc.bigInt(2n ** 53n - 3n, 2n ** 53n + 3n), fc.bigInt(-(2n ** 63n), 2n ** 63n), fc.bigInt(0n, 10n ** 64n));
const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("", "null", "\ud800", '"', "__proto__"));
const userId = text as fc.Arbitrary<UserId>;
const currency = text as fc.Arbitrary<CurrencyCode>;
const ms = fc.integer({ min: 0, max: 253_402_300_799_999 });
const amount: fc.Arbitrary<Decimal> = fc.record({ unscaled: integer, scale: fc.nat(64) });

const envelope: { [Field in keyof CommandEnvelope]: fc.Arbitrary<CommandEnvelope[Field]> } = {
  userId,
  idempotencyKey: maybe(text),
  reference: text,
  metadata,
  expectedVersion: maybe(integer),
  validateOnly: fc.boolean(),
};
const type = fc.constant;
const walletCommand: fc.Arbitrary<WalletCommand> = fc.oneof(
  fc.record({ type: type("initWallet" as const), ...envelope, currency, balanceMax: maybe(amount) }),
  fc.record({ type: type("addMoney" as const), ...envelope, currency: maybe(currency), amount, relatedOperationId: maybe(integer) }),
  fc.record({ type: type("holdMoney" as const), ...envelope, currency: maybe(currency), amount, holdPeriodMs: maybe(ms) }),
  fc.record({ type: type("reverseHold" as const), ...envelope, holdId: integer }),
  fc.record({ type: type("captureHold" as const), ...envelope, holdId: integer, amount, toUserId: maybe(userId), isFinal: fc.boolean() }),
  fc.record({ type: type("extendHold" as const), ...envelope, holdId: integer, holdPeriodMs: ms }),
  fc.record({ type: type("withdrawMoney" as const), ...envelope, currency: maybe(currency), amount }),
  fc.record({ type: type("transferMoney" as const), ...envelope, currency: maybe(currency), amount, toUserId: userId }),
  fc.record({ type: fc.constantFrom("freezeWallet" as const, "unfreezeWallet" as const, "closeWallet" as const), ...envelope, currency: maybe(currency) }),
  fc.record({ type: type("setWalletLimits" as const), ...envelope, currency: maybe(currency), balanceMax: maybe(amount) }),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: walletCommand },
  fc.record({ type: type("releaseHolds" as const), userId: maybe(userId), currency: maybe(currency), validateOnly: fc.boolean() }),
  fc.record({ type: type("executeBatch" as const), items: fc.array(walletCommand), atomic: fc.boolean() }),
);

test("commands arrive as they were sent, those with a key with their identity", () => {
  const arrived = (sent: WalletCommand): WalletCommand => ({ ...sent, identity: sent.idempotencyKey === undefined ? undefined : requestIdentity(sent, sent.idempotencyKey) });
  const arrivedAll = (sent: Command): Command => {
    if (sent.type === "releaseHolds") return sent;
    return sent.type === "executeBatch" ? { ...sent, items: sent.items.map(arrived) } : arrived(sent);
  };
  fc.assert(fc.property(fc.array(command), (commands) => {
    const words = writeCommands(commands);
    const expected = structuredClone(commands).map(arrivedAll);
    expect(readCommands(words)).toStrictEqual(expected);
    // Sent on, it is the same again.
    expect(writeCommands(expected)).toBe(words);
  }));
});

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const record = fc.tuple(draftRecord, hash).map(([draft, sealed]) => ({ ...draft, hash: sealed }));
const identity: fc.Arbitrary<WalletIdentity> = fc.record({ walletId: integer, userId, currency, exponent: fc.nat(18), createTimeMs: ms });
const name: fc.Arbitrary<WalletName> = fc.record({ walletId: integer, userId, currency, exponent: fc.nat(18) });
const origin: fc.Arbitrary<HoldOrigin> = fc.record({ holdId: integer, walletId: integer, amountMinor: integer, createTimeMs: ms });
const applied = fc.record({ type: type("applied" as const), record, wallet: identity, receiver: maybe(name), hold: maybe(origin), replayed: fc.boolean() });
const rejected: fc.Arbitrary<RejectedAnswer> = fc.record({ type: type("rejected" as const), rejection, replayed: fc.boolean() });
const item: fc.Arbitrary<AppliedItem> = fc.record({
  type: type("applied" as const),
  operationId: integer,
  exponent: fc.nat(18),
  after: fc.record({ availableMinor: integer, heldMinor: integer }),
  holdId: maybe(integer),
  replayed: fc.boolean(),
});
const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 5, arbitrary: applied },
  rejected,
  fc.record({ type: type("batch" as const), results: fc.array(fc.oneof(item, rejected)) }),
  fc.record({
    type: type("released" as const),
    count: fc.nat(1000),
    amounts: fc.array(fc.record({ currency: text, exponent: fc.nat(18), minor: integer })),
    moreRemain: fc.boolean(),
  }),
  fc.constant({ type: "notYet" as const }),
);

test("answers arrive as they were given", () => {
  fc.assert(fc.property(fc.array(answer), (answers) => {
    expect(readAnswers(structuredClone(writeAnswers(answers)))).toStrictEqual(structuredClone(answers));
  }));
});

test("what is no command is not read as one", () => {
  expect(() => readCommands('["payMoney","alice",null,"",{},null,false]')).toThrow("no command is called payMoney");
});

test("a word for an answer that is not there is none", () => {
  expect(() => readAnswers({ words: '["other"]', hashes: new Uint8Array(0), others: [] })).toThrow("as many others are there");
});
