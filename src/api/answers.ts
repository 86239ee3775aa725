// From the ledger's answers to responses. The wallet and hold of an answer are those directly after the operation, taken from its record, so
// that the first answer and every replay of it are made of the same facts. Messages are written out, which takes half as long as `create`, and the types see to it
// that no field is forgotten.

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { HoldStatus, type Hold as HoldMessage } from "../../gen/wallet/v1/hold_pb.ts";
import { OperationKind, type Entry, type Operation } from "../../gen/wallet/v1/operation_pb.ts";
import { WalletState, type Balance, type Money, type Wallet as WalletMessage } from "../../gen/wallet/v1/wallet_pb.ts";
import type { AppliedAnswer } from "../domain/answer.ts";
import { remainingMinor, returnedMinor, type Hold, type HoldOrigin, type HoldStatus as HoldStatusName } from "../domain/hold.ts";
import type { JournalRecord, OperationKind as OperationKindName, WalletAfter } from "../domain/journal.ts";
import { formatMinor, rescaled } from "../domain/money.ts";
import type { MoneyFact } from "../domain/rejection.ts";
import type { UserId, Wallet, WalletIdentity, WalletName, WalletState as WalletStateName } from "../domain/wallet.ts";
import type { RecordedOperation } from "../store/store.ts";

const walletStates = { ACTIVE: WalletState.ACTIVE, FROZEN: WalletState.FROZEN, CLOSED: WalletState.CLOSED } as const satisfies Record<WalletStateName, WalletState>;

const holdStatuses = {
  ACTIVE: HoldStatus.ACTIVE,
  RELEASED: HoldStatus.RELEASED,
  REVERSED: HoldStatus.REVERSED,
  CAPTURED: HoldStatus.CAPTURED,
} as const satisfies Record<HoldStatusName, HoldStatus>;

const operationKinds = {
  INIT: OperationKind.INIT,
  ADD: OperationKind.ADD,
  HOLD: OperationKind.HOLD,
  RELEASE: OperationKind.RELEASE,
  REVERSE: OperationKind.REVERSE,
  CAPTURE: OperationKind.CAPTURE,
  WITHDRAW: OperationKind.WITHDRAW,
  TRANSFER: OperationKind.TRANSFER,
  EXTEND: OperationKind.EXTEND,
  FREEZE: OperationKind.FREEZE,
  UNFREEZE: OperationKind.UNFREEZE,
  CLOSE: OperationKind.CLOSE,
  SET_LIMITS: OperationKind.SET_LIMITS,
} as const satisfies Record<OperationKindName, OperationKind>;

/** What every mutating response has. Nothing was done under `validate_only`, so there is no operation then. */
export function toApplied(answer: AppliedAnswer, validateOnly: boolean): { operation?: Operation; wallet: WalletMessage; replayed: boolean } {
  const { record, wallet, replayed } = answer;
  const response = { wallet: toWalletAfter(record, wallet), replayed };
  return validateOnly && !replayed ? response : { ...response, operation: toOperation(answer, wallet.userId) };
}

/** The same with the hold that the operation placed or changed. */
export function toAppliedToHold(answer: AppliedAnswer, validateOnly: boolean): ReturnType<typeof toApplied> & { hold: HoldMessage } {
  return { ...toApplied(answer, validateOnly), hold: toHoldAfter(answer.record, answer.wallet, answer.hold!) };
}

/** The operation as this user sees it, without what is left in the other's wallet; without a viewer, all of it. */
export function toOperation(told: RecordedOperation, viewer: UserId | undefined): Operation {
  const { record, wallet, receiver } = told;
  const isReceiver = viewer !== undefined && viewer === receiver?.userId;
  return {
    $typeName: "wallet.v1.Operation",
    operationId: record.operationId,
    kind: operationKinds[record.kind],
    userId: wallet.userId,
    currency: wallet.currency,
    amount: formatMinor(record.amountMinor, wallet.exponent),
    balanceAfter: isReceiver ? undefined : toBalance(record.after, wallet.exponent),
    createTime: timestampFromMs(record.timeMs),
    hash: record.hash,
    entries: toEntries(told, viewer),
    partition: record.partition,
    sequence: record.sequence,
    holdId: isReceiver ? undefined : record.hold?.holdId,
    relatedOperationId: record.relatedOperationId,
    reference: record.reference,
    metadata: record.metadata,
    walletVersion: isReceiver ? record.receiver!.after.version : record.after.version,
  };
}

/** One line for each wallet where there are two. */
function toEntries({ record, wallet, receiver, hold }: RecordedOperation, viewer: UserId | undefined): Entry[] {
  if (receiver === undefined || record.receiver === undefined) return [];
  const isReceiver = viewer === receiver.userId;
  const returned = record.hold === undefined ? 0n : returnedMinor({ ...record.hold, amountMinor: hold!.amountMinor });
  const isCapture = record.kind === "CAPTURE";
  const entry = ({ userId, currency, exponent }: WalletName, after: WalletAfter, availableMinor: bigint, heldMinor: bigint): Entry => {
    // How much of a hold was left is the payer's, too.
    const isHidden = isReceiver && userId === wallet.userId;
    return {
      $typeName: "wallet.v1.Entry",
      userId,
      currency,
      availableChange: isHidden ? "" : formatMinor(availableMinor, exponent),
      heldChange: isHidden ? "" : formatMinor(heldMinor, exponent),
      balanceAfter: viewer === undefined || viewer === userId ? toBalance(after, exponent) : undefined,
    };
  };
  return [
    isCapture ? entry(wallet, record.after, returned, -record.amountMinor - returned) : entry(wallet, record.after, -record.amountMinor, 0n),
    entry(receiver, record.receiver.after, record.receiver.amountMinor, 0n),
  ];
}

/** A wallet as it is now. */
export function toWallet(wallet: Wallet): WalletMessage {
  return {
    $typeName: "wallet.v1.Wallet",
    userId: wallet.userId,
    currency: wallet.currency,
    balance: toBalance(wallet, wallet.exponent),
    state: walletStates[wallet.state],
    version: wallet.version,
    createTime: timestampFromMs(wallet.createTimeMs),
    updateTime: timestampFromMs(wallet.updateTimeMs),
    balanceMax: wallet.balanceMaxMinor === undefined ? undefined : formatMinor(wallet.balanceMaxMinor, wallet.exponent),
  };
}

/** A hold as it is now. */
export function toHold(hold: Omit<Hold, "previousHoldId">, wallet: WalletIdentity): HoldMessage {
  const money = (minor: bigint): string => formatMinor(minor, wallet.exponent);
  return {
    $typeName: "wallet.v1.Hold",
    holdId: hold.holdId,
    userId: wallet.userId,
    currency: wallet.currency,
    amount: money(hold.amountMinor),
    capturedAmount: money(hold.capturedMinor),
    remainingAmount: money(remainingMinor(hold)),
    status: holdStatuses[hold.status],
    createTime: timestampFromMs(hold.createTimeMs),
    eligibleTime: timestampFromMs(hold.eligibleTimeMs),
    resolveTime: hold.resolveTimeMs === undefined ? undefined : timestampFromMs(hold.resolveTimeMs),
  };
}

/** Balances in minor units as decimal strings with `exponent` decimals. */
export function toBalance({ availableMinor, heldMinor }: { availableMinor: bigint; heldMinor: bigint }, exponent: number): Balance {
  const available = formatMinor(availableMinor, exponent);
  return {
    $typeName: "wallet.v1.Balance",
    available,
    held: formatMinor(heldMinor, exponent),
    total: heldMinor === 0n ? available : formatMinor(availableMinor + heldMinor, exponent),
  };
}

/**
 * One amount per currency, in the order of their codes. Where an asset's exponent was changed while it had wallets, a currency's amounts come
 * with several exponents; the sum then has the largest of them, so that it stays exact.
 */
export function toMoneys(facts: readonly MoneyFact[]): Money[] {
  const sums = new Map<string, MoneyFact>();
  for (const fact of facts) {
    const sum = sums.get(fact.currency) ?? { ...fact, minor: 0n };
    const exponent = Math.max(sum.exponent, fact.exponent);
    const scaled = (each: MoneyFact): bigint => rescaled(each.minor, { from: each.exponent, to: exponent });
    sums.set(fact.currency, { currency: fact.currency, exponent, minor: scaled(sum) + scaled(fact) });
  }
  const inOrder = [...sums.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
  return inOrder.map(({ currency, exponent, minor }) => ({ $typeName: "wallet.v1.Money", currency, amount: formatMinor(minor, exponent) }));
}

function toWalletAfter(record: JournalRecord, identity: WalletIdentity): WalletMessage {
  return {
    $typeName: "wallet.v1.Wallet",
    userId: identity.userId,
    currency: identity.currency,
    balance: toBalance(record.after, identity.exponent),
    state: walletStates[record.after.state],
    version: record.after.version,
    createTime: timestampFromMs(identity.createTimeMs),
    updateTime: timestampFromMs(record.timeMs),
    balanceMax: record.after.balanceMaxMinor === undefined ? undefined : formatMinor(record.after.balanceMaxMinor, identity.exponent),
  };
}

function toHoldAfter(record: JournalRecord, wallet: WalletIdentity, origin: HoldOrigin): HoldMessage {
  const after = record.hold!;
  const resolveTimeMs = after.status === "ACTIVE" ? undefined : record.timeMs;
  return toHold({ ...origin, ...after, resolveTimeMs }, wallet);
}
