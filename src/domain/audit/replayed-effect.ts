// What an operation does to the recomputed wallets and hold, judged by its kind, and the rules that it breaks.
//
// Of a record only what a caller chose is taken from it: the amount that is added, held, captured, withdrawn or transferred, a limit, a hold's period,
// whether a capture is final, and who receives. Everything else follows and is compared with what the record says.

import { captured, placed, remainingMinor, resolved, returnedMinor, type Hold } from "../hold.ts";
import { birthplaceOf, type JournalRecord, type OperationKind } from "../journal.ts";
import { minorMax, rescaled } from "../money.ts";
import { credited, debited, isOverLimit, reserved, spent, totalMinor, type Wallet } from "../wallet.ts";

/** The recomputed state that an operation meets. `hold` and `receiver` are undefined where it names none, or one that the journal does not know. */
export interface Met {
  readonly wallet: Wallet;
  readonly hold: Hold | undefined;
  readonly receiver: Wallet | undefined;
}

/** The state that an operation should lead to, and what it should say that it moved. Amounts in minor units, `receiverAmountMinor` in the receiver's own. */
export interface ReplayedEffect {
  readonly wallet: Wallet;
  readonly hold: Hold | undefined;
  readonly receiver: Wallet | undefined;
  readonly amountMinor: bigint;
  readonly receiverAmountMinor: bigint | undefined;
}

const setsAside = { HOLD: true, CAPTURE: true, WITHDRAW: true, TRANSFER: true, FREEZE: true } as const;

/** Kinds that place or change a hold, and must name it. */
const ofHolds: Partial<Record<OperationKind, true>> = { HOLD: true, RELEASE: true, REVERSE: true, CAPTURE: true, EXTEND: true };

/** The state that the record leads to from the one that it meets. */
export function replayedEffect(record: JournalRecord, { wallet, hold, receiver }: Met): ReplayedEffect {
  const { kind, amountMinor } = record;
  const same = { wallet, hold, receiver: undefined, amountMinor: 0n, receiverAmountMinor: undefined };
  switch (kind) {
    case "INIT":
    case "SET_LIMITS":
      return { ...same, wallet: { ...wallet, balanceMaxMinor: record.after.balanceMaxMinor } };
    case "ADD":
      return { ...same, wallet: credited(wallet, amountMinor), amountMinor };
    case "HOLD":
      return { ...same, wallet: { ...reserved(wallet, amountMinor), lastHoldId: record.operationId }, hold: placedBy(record, wallet), amountMinor };
    case "RELEASE":
    case "REVERSE": {
      const remaining = hold === undefined ? amountMinor : remainingMinor(hold);
      return { ...same, wallet: reserved(wallet, -remaining), hold: hold && resolved(hold, kind === "RELEASE" ? "RELEASED" : "REVERSED", record.timeMs), amountMinor: remaining };
    }
    case "CAPTURE": {
      const after = hold && captured(hold, amountMinor, { isFinal: record.hold?.status === "CAPTURED", nowMs: record.timeMs });
      return { wallet: reserved(spent(wallet, amountMinor), after === undefined ? 0n : -returnedMinor(after)), hold: after, amountMinor, ...received(wallet, receiver, amountMinor) };
    }
    case "WITHDRAW":
      return { ...same, wallet: debited(wallet, amountMinor), amountMinor };
    case "TRANSFER":
      return { ...same, wallet: debited(wallet, amountMinor), amountMinor, ...received(wallet, receiver, amountMinor) };
    case "EXTEND":
      return { ...same, hold: hold && { ...hold, eligibleTimeMs: record.hold?.eligibleTimeMs ?? hold.eligibleTimeMs } };
    case "FREEZE":
      return { ...same, wallet: { ...wallet, state: "FROZEN" } };
    case "UNFREEZE":
      return { ...same, wallet: { ...wallet, state: "ACTIVE" } };
    case "CLOSE":
      return { ...same, wallet: { ...wallet, state: "CLOSED" } };
    default:
      return kind satisfies never;
  }
}

function placedBy({ operationId, walletId, amountMinor, timeMs, hold }: JournalRecord, { lastHoldId }: Wallet): Hold {
  return placed({ holdId: operationId, walletId, amountMinor, createTimeMs: timeMs, eligibleTimeMs: hold?.eligibleTimeMs ?? timeMs, previousHoldId: lastHoldId });
}

function received(payer: Wallet, receiver: Wallet | undefined, amountMinor: bigint): Pick<ReplayedEffect, "receiver" | "receiverAmountMinor"> {
  if (receiver === undefined) return { receiver: undefined, receiverAmountMinor: undefined };
  // What does not come out even breaks a rule below: the ledger refuses it.
  const receiverAmountMinor = rescaled(amountMinor, { from: payer.exponent, to: receiver.exponent });
  return { receiver: credited(receiver, receiverAmountMinor), receiverAmountMinor };
}

/** The rules that the ledger would have refused this operation by, each as what should be true of it. */
export function brokenRules(record: JournalRecord, met: Met, effect: ReplayedEffect): string[] {
  const { kind, amountMinor } = record;
  const { wallet, hold, receiver } = met;
  const broken: string[] = [];
  const rule = (isKept: boolean, sentence: string): void => void (isKept || broken.push(sentence));
  const movesMoney = kind === "ADD" || kind === "HOLD" || kind === "CAPTURE" || kind === "WITHDRAW" || kind === "TRANSFER";

  if (movesMoney) rule(amountMinor > 0n && amountMinor <= minorMax, "an amount above zero, within 64 bits");
  rule(wallet.state !== "CLOSED", "no operation on a closed wallet");
  if (kind in setsAside) rule(wallet.state !== "FROZEN", `no ${kind} on a frozen wallet`);
  if (kind === "CLOSE") rule(totalMinor(wallet) === 0n, "a wallet is closed only when it is empty");
  if (kind === "ADD") rule(!isOverLimit(wallet, amountMinor), "money comes in only up to the wallet's limit");
  rule(effect.wallet.availableMinor >= 0n, "available money is never negative");
  rule(effect.wallet.heldMinor >= 0n, "held money is never negative");
  rule(totalMinor(effect.wallet) <= minorMax, "a total fits 64 bits");
  const { balanceMaxMinor } = effect.wallet;
  rule(balanceMaxMinor === undefined || (balanceMaxMinor >= 0n && balanceMaxMinor <= minorMax), "a limit within 64 bits");

  rule((record.opened !== undefined) === (kind === "INIT"), "an INIT, and only an INIT, opens a wallet");
  rule((record.hold !== undefined) === (ofHolds[kind] === true), "a hold where the kind is about holds, and only there");
  rule(record.receiver === undefined ? kind !== "TRANSFER" : kind === "TRANSFER" || kind === "CAPTURE", "a receiver of a TRANSFER, perhaps of a CAPTURE, and of nothing else");
  if (record.relatedOperationId !== undefined) {
    rule(kind === "ADD" && mayBeEarlier(record.relatedOperationId, record), "only an ADD is related to an operation, and that one is earlier");
  }

  if (kind === "HOLD") {
    rule(record.hold === undefined || record.hold.holdId === record.operationId, "a hold has the id of the operation that placed it");
    rule((record.hold?.eligibleTimeMs ?? record.timeMs) >= record.timeMs, "a hold's period is not negative");
  } else if (record.hold !== undefined) {
    rule(hold !== undefined, "a hold that was placed before");
    if (hold !== undefined) {
      rule(hold.walletId === record.walletId, `the hold's own wallet, ${hold.walletId}`);
      rule(hold.status === "ACTIVE", `an active hold, and this one was ${hold.status}`);
      if (kind === "RELEASE") rule(record.timeMs >= hold.eligibleTimeMs, "a release only after the hold's period");
      if (kind === "CAPTURE") rule(amountMinor <= remainingMinor(hold), "no more captured than remains of the hold");
      if (kind === "EXTEND") rule(record.hold.eligibleTimeMs > hold.eligibleTimeMs, "a hold is only ever extended");
    }
  }

  rule(record.apart === undefined || record.receiver !== undefined, "a receiver where the wallets are in two partitions");
  if (record.receiver !== undefined && receiver !== undefined) {
    rule(receiver.walletId !== wallet.walletId, "a receiver that is not the payer");
    rule(receiver.currency === wallet.currency, "a receiver with the payer's currency");
    rule(receiver.state !== "CLOSED", "a receiver that is not closed");
    const incoming = effect.receiverAmountMinor ?? 0n;
    rule(rescaled(incoming, { from: receiver.exponent, to: wallet.exponent }) === amountMinor, "an amount that both wallets can say");
    rule(!isOverLimit(receiver, incoming), "money comes in only up to the receiver's limit");
  }
  return broken;
}

/** Ids tell the order within one partition of birth only; there they do across copies too, since each begins above all ids that there were. */
function mayBeEarlier(operationId: bigint, record: JournalRecord): boolean {
  return operationId > 0n && (birthplaceOf(operationId).partition !== birthplaceOf(record.operationId).partition || operationId < record.operationId);
}

/** The same of what came in from a wallet in another partition, which counts money in its own decimals. */
export function brokenReceipt(record: JournalRecord, receiver: Wallet, { incoming, payer }: { readonly incoming: bigint; readonly payer: { readonly exponent: number } }): string[] {
  const { kind, amountMinor } = record;
  const broken: string[] = [];
  const rule = (isKept: boolean, sentence: string): void => void (isKept || broken.push(sentence));
  rule(kind === "TRANSFER" || kind === "CAPTURE", "a TRANSFER or a CAPTURE where money comes from another partition");
  rule(amountMinor > 0n && amountMinor <= minorMax, "an amount above zero, within 64 bits");
  rule(record.opened === undefined && record.hold === undefined && record.keyHash === undefined, "no opening, hold or key in the receiver's record");
  rule(receiver.state !== "CLOSED", "a receiver that is not closed");
  rule(rescaled(incoming, { from: receiver.exponent, to: payer.exponent }) === amountMinor, "an amount that both wallets can say");
  rule(!isOverLimit(receiver, incoming), "money comes in only up to the receiver's limit");
  return broken;
}
