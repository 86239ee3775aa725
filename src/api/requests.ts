// From requests to commands: parsed once, into types that cannot be wrong. Rules of single fields were checked before by validation.

import { durationMs, type Duration } from "@bufbuild/protobuf/wkt";
import type {
  AddMoneyRequest,
  CaptureHoldRequest,
  CloseWalletRequest,
  ExtendHoldRequest,
  FreezeWalletRequest,
  HoldMoneyRequest,
  InitWalletRequest,
  ReleaseHoldsRequest,
  ReverseHoldRequest,
  SetWalletLimitsRequest,
  TransferMoneyRequest,
  UnfreezeWalletRequest,
  WithdrawMoneyRequest,
} from "../../gen/wallet/v1/wallet_service_pb.ts";
import type {
  AddMoney,
  CaptureHold,
  ChangeWalletState,
  CommandEnvelope,
  ExtendHold,
  HoldMoney,
  InitWallet,
  ReleaseHolds,
  ReverseHold,
  SetWalletLimits,
  TransferMoney,
  WithdrawMoney,
} from "../domain/command.ts";
import { parseDecimal, type Decimal } from "../domain/money.ts";
import type { CurrencyCode, UserId } from "../domain/wallet.ts";
import { invalidAmount, invalidField } from "./errors.ts";

export function toInitWallet(request: InitWalletRequest): InitWallet {
  return { type: "initWallet", ...envelope(request), currency: request.currency as CurrencyCode, balanceMax: balanceMaxOf(request) };
}

export function toAddMoney(request: AddMoneyRequest): AddMoney {
  return {
    type: "addMoney",
    ...envelope(request),
    currency: currencyOf(request),
    amount: amountOf(request),
    relatedOperationId: request.relatedOperationId,
  };
}

export function toHoldMoney(request: HoldMoneyRequest): HoldMoney {
  return {
    type: "holdMoney",
    ...envelope(request),
    currency: currencyOf(request),
    amount: amountOf(request),
    holdPeriodMs: request.holdPeriod === undefined ? undefined : wholeMs("hold_period", request.holdPeriod),
  };
}

export function toReleaseHolds(request: ReleaseHoldsRequest): ReleaseHolds {
  return { type: "releaseHolds", ...filterOf(request), validateOnly: request.validateOnly };
}

export function toReverseHold(request: ReverseHoldRequest): ReverseHold {
  return { type: "reverseHold", ...envelope(request), holdId: request.holdId };
}

export function toCaptureHold(request: CaptureHoldRequest): CaptureHold {
  return {
    type: "captureHold",
    ...envelope(request),
    holdId: request.holdId,
    amount: amountOf(request),
    toUserId: request.toUserId as UserId | undefined,
    isFinal: request.final,
  };
}

export function toExtendHold(request: ExtendHoldRequest): ExtendHold {
  return { type: "extendHold", ...envelope(request), holdId: request.holdId, holdPeriodMs: wholeMs("hold_period", request.holdPeriod!) };
}

export function toWithdrawMoney(request: WithdrawMoneyRequest): WithdrawMoney {
  return { type: "withdrawMoney", ...envelope(request), currency: currencyOf(request), amount: amountOf(request) };
}

export function toTransferMoney(request: TransferMoneyRequest): TransferMoney {
  return { type: "transferMoney", ...envelope(request), currency: currencyOf(request), amount: amountOf(request), toUserId: request.toUserId as UserId };
}

export function toChangeWalletState(
  type: ChangeWalletState["type"],
  request: FreezeWalletRequest | UnfreezeWalletRequest | CloseWalletRequest,
): ChangeWalletState {
  return { type, ...envelope(request), currency: currencyOf(request) };
}

export function toSetWalletLimits(request: SetWalletLimitsRequest): SetWalletLimits {
  return { type: "setWalletLimits", ...envelope(request), currency: currencyOf(request), balanceMax: balanceMaxOf(request) };
}

/** The wallet that a request means: its user, and its currency where it names one. */
export function walletOf(request: { userId: string; currency?: string | undefined }): { userId: UserId; currency: CurrencyCode | undefined } {
  return { userId: request.userId as UserId, currency: currencyOf(request) };
}

/** User and currency as filters. */
export function filterOf(request: { userId?: string | undefined; currency?: string | undefined }): { userId: UserId | undefined; currency: CurrencyCode | undefined } {
  return { userId: request.userId as UserId | undefined, currency: currencyOf(request) };
}

interface Envelope {
  userId: string;
  idempotencyKey?: string | undefined;
  reference: string;
  metadata: Record<string, string>;
  expectedVersion?: bigint | undefined;
  validateOnly: boolean;
}

function envelope(request: Envelope): CommandEnvelope {
  const { idempotencyKey, reference, metadata, expectedVersion, validateOnly } = request;
  return { userId: request.userId as UserId, idempotencyKey, reference, metadata, expectedVersion, validateOnly };
}

function currencyOf(request: { currency?: string | undefined }): CurrencyCode | undefined {
  return request.currency as CurrencyCode | undefined;
}

function amountOf(request: { amount: string }): Decimal {
  const amount = decimal("amount", request.amount);
  if (amount.unscaled === 0n) throw invalidAmount("amount");
  return amount;
}

function balanceMaxOf({ balanceMax }: { balanceMax?: string | undefined }): Decimal | undefined {
  return balanceMax === undefined ? undefined : decimal("balance_max", balanceMax);
}

function decimal(field: string, text: string): Decimal {
  const parsed = parseDecimal(text);
  if (parsed === undefined) throw invalidAmount(field);
  return parsed;
}

/** The ledger's clock counts milliseconds, and nothing is rounded. */
function wholeMs(field: string, duration: Duration): number {
  if (duration.nanos % 1_000_000 !== 0) throw invalidField(field, "must be whole milliseconds");
  return durationMs(duration);
}
