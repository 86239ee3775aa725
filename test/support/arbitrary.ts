// Arbitrary records, wallets, holds and rejections: everything that the types permit, whether or not the ledger would ever make it.

import * as fc from "fast-check";
import type { Hold } from "../../src/domain/hold.ts";
import { operationKindNumbers, type JournalRecord, type OperationKind, type Side } from "../../src/domain/journal.ts";
import { minorMax } from "../../src/domain/money.ts";
import type { Rejection } from "../../src/domain/rejection.ts";
import { totalKinds, type Totals } from "../../src/domain/totals.ts";
import type { CurrencyCode, UserId, Wallet, WalletState } from "../../src/domain/wallet.ts";

const minor = fc.oneof(fc.bigInt(0n, minorMax), fc.bigInt(0n, 300n), fc.constantFrom(0n, 63n, 64n, 2n ** 45n, 2n ** 46n - 2n, 2n ** 46n - 1n, 2n ** 46n, minorMax));
const id = fc.oneof(fc.bigInt(1n, 1000n), fc.bigInt(1n, minorMax));
/** Until the year 9999, the last that the wire can say. */
const timeMs = fc.oneof(fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }), fc.integer({ min: 0, max: 253_402_300_799_999 }));
const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string({ minLength: 120, maxLength: 256 }));
const userId = fc.stringMatching(/^[A-Za-z0-9._:@+-]{1,128}$/) as fc.Arbitrary<UserId>;
const currency = fc.stringMatching(/^[A-Z][A-Z0-9]{1,15}$/) as fc.Arbitrary<CurrencyCode>;
const exponent = fc.integer({ min: 0, max: 18 });
const state = fc.constantFrom<WalletState>("ACTIVE", "FROZEN", "CLOSED");
const holdStatus = fc.constantFrom<Hold["status"]>("ACTIVE", "RELEASED", "REVERSED", "CAPTURED");
const hex = (bytes: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString("hex"));
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const after = fc.record({ availableMinor: minor, heldMinor: minor, state, version: id, balanceMaxMinor: maybe(minor) });

export const metadata = fc.dictionary(text, text, { maxKeys: 16, noNullPrototype: true });

export const draftRecord: fc.Arbitrary<Omit<JournalRecord, "hash">> = fc.record({
  partition: fc.integer({ min: 0, max: 32_767 }),
  sequence: fc.bigInt(1n, 2n ** 48n - 1n),
  operationId: id,
  kind: fc.constantFrom(...(Object.keys(operationKindNumbers) as OperationKind[])),
  walletId: id,
  amountMinor: minor,
  after,
  hold: maybe(fc.record({ holdId: id, status: holdStatus, capturedMinor: minor, eligibleTimeMs: timeMs })),
  opened: maybe(fc.record({ userId, currency, exponent })),
  relatedOperationId: maybe(id),
  receiver: maybe(
    fc.record({ walletId: id, amountMinor: minor, after, previousSequence: fc.bigInt(0n, 2n ** 48n - 1n) }),
  ),
  apart: maybe(fc.record({ side: fc.constantFrom<Side>("PAYER", "RECEIVER"), other: fc.record({ userId, exponent }) })),
  keyHash: maybe(hex(16)),
  reference: fc.oneof(fc.constant(""), text),
  metadata,
  previousSequence: fc.bigInt(0n, 2n ** 48n - 1n),
  timeMs,
});

const large = fc.oneof(minor, fc.bigInt(0n, 2n ** 200n));

/** A kind of which there is none has moved nothing. */
export const totals: fc.Arbitrary<Totals> = fc.record(
  Object.fromEntries(
    totalKinds.map((kind) => [kind, fc.oneof(fc.constant({ count: 0n, minor: 0n }), fc.record({ count: large.map((count) => count + 1n), minor: large }))]),
  ) as Record<keyof Totals, fc.Arbitrary<Totals["adds"]>>,
);

/** A wallet, but for its id and owner. */
export const walletContent: fc.Arbitrary<Omit<Wallet, "walletId" | "userId">> = fc
  .record({ currency, exponent, createTimeMs: timeMs, availableMinor: minor, held: minor, state, version: id, balanceMaxMinor: maybe(minor), headSequence: id, lastHoldId: fc.bigInt(0n, 1000n), updateTimeMs: timeMs, totals })
  // Its total fits 64 bits, and a closed one is empty.
  .map(({ held, ...wallet }) =>
    wallet.state === "CLOSED" ? { ...wallet, availableMinor: 0n, heldMinor: 0n } : { ...wallet, heldMinor: held % (minorMax - wallet.availableMinor + 1n) },
  );

/** A hold, but for its id and wallet. */
export const holdContent: fc.Arbitrary<Omit<Hold, "holdId" | "walletId">> = fc
  .record({ amount: minor, captured: minor, status: holdStatus, createTimeMs: timeMs, eligibleTimeMs: timeMs, resolved: timeMs, previousHoldId: fc.bigInt(0n, 1000n) })
  .map(({ amount, captured, resolved, status, ...times }) => {
    const amountMinor = amount === 0n ? 1n : amount;
    return { ...times, status, amountMinor, capturedMinor: captured % (amountMinor + 1n), resolveTimeMs: status === "ACTIVE" ? undefined : resolved };
  });

const moneyFact = fc.record({ currency, exponent, minor: large });

/** Rejections with every kind of fact that there is. */
export const rejection: fc.Arbitrary<Rejection> = fc.oneof(
  fc.record({ reason: fc.constant("WALLET_NOT_FOUND" as const), userId }),
  fc.record({ reason: fc.constant("WALLET_NOT_FOUND" as const), userId, currency }),
  fc.record({ reason: fc.constant("HOLD_NOT_FOUND" as const), userId, holdId: id }),
  fc.record({ reason: fc.constant("HOLD_NOT_ACTIVE" as const), holdId: id, status: holdStatus }),
  fc.record({ reason: fc.constant("OPERATION_NOT_FOUND" as const), operationId: id }),
  fc.record({ reason: fc.constant("INSUFFICIENT_FUNDS" as const), available: moneyFact, requested: moneyFact }),
  fc.record({ reason: fc.constant("SAME_WALLET" as const), userId }),
  fc.record({ reason: fc.constant("CAPTURE_EXCEEDS_HOLD" as const), holdId: id, remaining: moneyFact, requested: moneyFact }),
  fc.record({ reason: fc.constant("HOLD_PERIOD_SHORTENED" as const), holdId: id, holdPeriodMs: timeMs, requestedMs: timeMs }),
  fc.record({ reason: fc.constantFrom("WALLET_FROZEN" as const, "WALLET_CLOSED" as const), userId, currency }),
  fc.record({ reason: fc.constant("WALLET_NOT_EMPTY" as const), available: moneyFact, held: moneyFact }),
  fc.record({ reason: fc.constant("BALANCE_LIMIT_EXCEEDED" as const), toUserId: userId, requested: moneyFact }),
  fc.record({ reason: fc.constant("BALANCE_LIMIT_EXCEEDED" as const), total: moneyFact, requested: moneyFact, maximum: moneyFact }),
);
