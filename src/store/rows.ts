// Between rows and the domain's types, the same for every engine.

import type { Insertable, Selectable } from "kysely";
import { holdStatusNumbers, type Hold, type HoldOrigin } from "../domain/hold.ts";
import type { RememberedKey } from "../domain/idempotency.ts";
import { operationKindNumbers, sideNumbers, type JournalHead, type JournalRecord } from "../domain/journal.ts";
import type { CurrencyTotals } from "../domain/loaded-state.ts";
import { namesByNumber } from "../domain/names-by-number.ts";
import type { Rejection } from "../domain/rejection.ts";
import { walletStateNumbers, type CurrencyCode, type UserId, type Wallet, type WalletIdentity } from "../domain/wallet.ts";
import type { CurrencyTotalsTable, HoldTable, IdempotencyKeyTable, JournalTable, LedgerHeadTable, WalletTable } from "./tables.ts";
import { decodeTotals, encodeTotals } from "./totals-encoding.ts";

const walletStates = namesByNumber(walletStateNumbers);
const holdStatuses = namesByNumber(holdStatusNumbers);
const operationKinds = namesByNumber(operationKindNumbers);
const sides = namesByNumber(sideNumbers);

export function headFromRow(row: Selectable<LedgerHeadTable>): JournalHead {
  return { partition: Number(row.partition), sequence: row.sequence, hash: row.hash, timeMs: Number(row.time_ms) };
}

/** What never changes about the wallet, without the work of reading its counters. */
export function walletIdentityFromRow(row: Selectable<WalletTable>): WalletIdentity {
  return {
    walletId: row.wallet_id,
    userId: row.user_id as UserId,
    currency: row.currency as CurrencyCode,
    exponent: Number(row.exponent),
    createTimeMs: Number(row.create_time_ms),
  };
}

export function walletFromRow(row: Selectable<WalletTable>): Wallet {
  return {
    ...walletIdentityFromRow(row),
    availableMinor: row.available_minor,
    heldMinor: row.held_minor,
    state: named(walletStates, row.state),
    version: row.version,
    balanceMaxMinor: row.balance_max_minor ?? undefined,
    headSequence: row.head_sequence,
    lastHoldId: row.last_hold_id,
    updateTimeMs: Number(row.update_time_ms),
    totals: decodeTotals(row.totals),
  };
}

export function walletToRow(partition: number, wallet: Wallet): Insertable<WalletTable> {
  return {
    partition: BigInt(partition),
    wallet_id: wallet.walletId,
    user_id: wallet.userId,
    currency: wallet.currency,
    exponent: BigInt(wallet.exponent),
    create_time_ms: BigInt(wallet.createTimeMs),
    available_minor: wallet.availableMinor,
    held_minor: wallet.heldMinor,
    state: BigInt(walletStateNumbers[wallet.state]),
    version: wallet.version,
    balance_max_minor: wallet.balanceMaxMinor ?? null,
    head_sequence: wallet.headSequence,
    last_hold_id: wallet.lastHoldId,
    update_time_ms: BigInt(wallet.updateTimeMs),
    totals: encodeTotals(wallet.totals),
  };
}

/** What never changes about the hold. */
export function holdOriginFromRow(row: Selectable<HoldTable>): HoldOrigin {
  return { holdId: row.hold_id, walletId: row.wallet_id, amountMinor: row.amount_minor, createTimeMs: Number(row.create_time_ms) };
}

export function holdFromRow(row: Selectable<HoldTable>): Hold {
  return {
    holdId: row.hold_id,
    walletId: row.wallet_id,
    amountMinor: row.amount_minor,
    capturedMinor: row.captured_minor,
    status: named(holdStatuses, row.status),
    createTimeMs: Number(row.create_time_ms),
    eligibleTimeMs: Number(row.eligible_time_ms),
    resolveTimeMs: row.resolve_time_ms === null ? undefined : Number(row.resolve_time_ms),
    previousHoldId: row.previous_hold_id,
  };
}

export function holdToRow(partition: number, hold: Hold, currency: CurrencyCode): Insertable<HoldTable> {
  return {
    partition: BigInt(partition),
    hold_id: hold.holdId,
    wallet_id: hold.walletId,
    currency,
    amount_minor: hold.amountMinor,
    captured_minor: hold.capturedMinor,
    status: BigInt(holdStatusNumbers[hold.status]),
    create_time_ms: BigInt(hold.createTimeMs),
    eligible_time_ms: BigInt(hold.eligibleTimeMs),
    resolve_time_ms: hold.resolveTimeMs === undefined ? null : BigInt(hold.resolveTimeMs),
    previous_hold_id: hold.previousHoldId,
  };
}

/** Throws a RangeError for a kind, status or state without a name, and a SyntaxError for metadata that is no JSON. */
export function recordFromRow(row: Selectable<JournalTable>): JournalRecord {
  return {
    partition: Number(row.partition),
    sequence: row.sequence,
    operationId: row.operation_id,
    kind: named(operationKinds, row.kind),
    walletId: row.wallet_id,
    amountMinor: row.amount_minor,
    after: {
      availableMinor: row.available_after_minor,
      heldMinor: row.held_after_minor,
      state: named(walletStates, row.state_after),
      version: row.version_after,
      balanceMaxMinor: row.balance_max_after_minor ?? undefined,
    },
    hold:
      row.hold_id === null
        ? undefined
        : {
            holdId: row.hold_id,
            status: named(holdStatuses, row.hold_status_after!),
            capturedMinor: row.hold_captured_after_minor!,
            eligibleTimeMs: Number(row.hold_eligible_time_ms!),
          },
    opened:
      row.opened_user_id === null
        ? undefined
        : { userId: row.opened_user_id as UserId, currency: row.opened_currency! as CurrencyCode, exponent: Number(row.opened_exponent!) },
    relatedOperationId: row.related_operation_id ?? undefined,
    receiver:
      row.receiver_wallet_id === null
        ? undefined
        : {
            walletId: row.receiver_wallet_id,
            amountMinor: row.receiver_amount_minor!,
            after: {
              availableMinor: row.receiver_available_after_minor!,
              heldMinor: row.receiver_held_after_minor!,
              state: named(walletStates, row.receiver_state_after!),
              version: row.receiver_version_after!,
              balanceMaxMinor: row.receiver_balance_max_after_minor ?? undefined,
            },
            previousSequence: row.receiver_previous_sequence!,
          },
    apart: row.side === null ? undefined : { side: named(sides, row.side), other: { userId: row.other_user_id! as UserId, exponent: Number(row.other_exponent!) } },
    keyHash: row.key_hash === null ? undefined : Buffer.from(row.key_hash).toString("hex"),
    reference: row.reference ?? "",
    metadata: row.metadata === null ? {} : (JSON.parse(row.metadata) as Record<string, string>),
    previousSequence: row.previous_sequence,
    timeMs: Number(row.time_ms),
    hash: row.hash,
  };
}

export function recordToRow(record: JournalRecord): Insertable<JournalTable> {
  const { after, hold, opened, receiver, apart } = record;
  return {
    partition: BigInt(record.partition),
    sequence: record.sequence,
    operation_id: record.operationId,
    kind: BigInt(operationKindNumbers[record.kind]),
    wallet_id: record.walletId,
    amount_minor: record.amountMinor,
    available_after_minor: after.availableMinor,
    held_after_minor: after.heldMinor,
    state_after: BigInt(walletStateNumbers[after.state]),
    version_after: after.version,
    balance_max_after_minor: after.balanceMaxMinor ?? null,
    previous_sequence: record.previousSequence,
    time_ms: BigInt(record.timeMs),
    hold_id: hold?.holdId ?? null,
    hold_status_after: hold === undefined ? null : BigInt(holdStatusNumbers[hold.status]),
    hold_captured_after_minor: hold?.capturedMinor ?? null,
    hold_eligible_time_ms: hold === undefined ? null : BigInt(hold.eligibleTimeMs),
    opened_user_id: opened?.userId ?? null,
    opened_currency: opened?.currency ?? null,
    opened_exponent: opened === undefined ? null : BigInt(opened.exponent),
    related_operation_id: record.relatedOperationId ?? null,
    key_hash: record.keyHash === undefined ? null : Buffer.from(record.keyHash, "hex"),
    reference: record.reference === "" ? null : record.reference,
    metadata: Object.keys(record.metadata).length === 0 ? null : JSON.stringify(record.metadata),
    receiver_wallet_id: receiver?.walletId ?? null,
    receiver_amount_minor: receiver?.amountMinor ?? null,
    receiver_available_after_minor: receiver?.after.availableMinor ?? null,
    receiver_held_after_minor: receiver?.after.heldMinor ?? null,
    receiver_state_after: receiver === undefined ? null : BigInt(walletStateNumbers[receiver.after.state]),
    receiver_version_after: receiver?.after.version ?? null,
    receiver_balance_max_after_minor: receiver?.after.balanceMaxMinor ?? null,
    receiver_previous_sequence: receiver?.previousSequence ?? null,
    side: apart === undefined ? null : BigInt(sideNumbers[apart.side]),
    other_user_id: apart?.other.userId ?? null,
    other_exponent: apart === undefined ? null : BigInt(apart.other.exponent),
    // Not the record's: who writes the row gives it one.
    nonce: null,
    hash: record.hash,
  };
}

export function keyFromRow(row: Selectable<IdempotencyKeyTable>): RememberedKey {
  return {
    keyHash: Buffer.from(row.key_hash).toString("hex"),
    fingerprint: Buffer.from(row.fingerprint).toString("hex"),
    timeMs: Number(row.time_ms),
    outcome: row.sequence === null ? { rejection: rejectionFromJson(row.rejection!) } : { sequence: row.sequence },
  };
}

/** `ordinal` is its place among the keys by age. */
export function keyToRow(partition: number, ordinal: bigint, key: RememberedKey): Insertable<IdempotencyKeyTable> {
  return {
    partition: BigInt(partition),
    ordinal,
    key_hash: Buffer.from(key.keyHash, "hex"),
    fingerprint: Buffer.from(key.fingerprint, "hex"),
    time_ms: BigInt(key.timeMs),
    sequence: "sequence" in key.outcome ? key.outcome.sequence : null,
    rejection: "rejection" in key.outcome ? rejectionToJson(key.outcome.rejection) : null,
  };
}

export function currencyTotalsFromRow(row: Selectable<CurrencyTotalsTable>): CurrencyTotals {
  return { currency: row.currency as CurrencyCode, exponent: Number(row.exponent), totals: decodeTotals(row.totals) };
}

export function currencyTotalsToRow(partition: number, totals: CurrencyTotals): Insertable<CurrencyTotalsTable> {
  return { partition: BigInt(partition), currency: totals.currency, exponent: BigInt(totals.exponent), totals: encodeTotals(totals.totals) };
}

/** JSON has no bigint; a fact that is one is written as `{"bigint":"123"}`. */
function rejectionToJson(rejection: Rejection): string {
  return JSON.stringify(rejection, (_, value: unknown) => (typeof value === "bigint" ? { bigint: value.toString() } : value));
}

function rejectionFromJson(json: string): Rejection {
  return JSON.parse(json, (_, value: unknown) => {
    const isBigint = typeof value === "object" && value !== null && "bigint" in value;
    return isBigint ? BigInt(value.bigint as string) : value;
  }) as Rejection;
}

function named<Name>(names: ReadonlyMap<number, Name>, number: bigint): Name {
  const name = names.get(Number(number));
  if (name === undefined) throw new RangeError(`a stored number, ${number}, has no meaning here`);
  return name;
}
