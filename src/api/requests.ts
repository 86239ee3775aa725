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

/** Names a field of a request for errors, from where the request stands in another one. Only asked where there is an error: thousands of items come without. */
export type Path = (field: string) => string;

const byItself: Path = (field) => field;

export function toInitWallet(request: InitWalletRequest, at: Path = byItself): InitWallet {
  return { type: "initWallet", ...envelope(request), currency: request.currency as CurrencyCode, balanceMax: balanceMaxOf(request, at) };
}

export function toAddMoney(request: AddMoneyRequest, at: Path = byItself): AddMoney {
  return {
    type: "addMoney",
    ...envelope(request),
    currency: currencyOf(request),
    amount: amountOf(request, at),
    relatedOperationId: request.relatedOperationId,
  };
}

export function toHoldMoney(request: HoldMoneyRequest, at: Path = byItself): HoldMoney {
  return {
    type: "holdMoney",
    ...envelope(request),
    currency: currencyOf(request),
    amount: amountOf(request, at),
    holdPeriodMs: request.holdPeriod === undefined ? undefined : wholeMs(request.holdPeriod, at),
  };
}

export function toReleaseHolds(request: ReleaseHoldsRequest): ReleaseHolds {
  return { type: "releaseHolds", ...filterOf(request), validateOnly: request.validateOnly };
}

export function toReverseHold(request: ReverseHoldRequest): ReverseHold {
  return { type: "reverseHold", ...envelope(request), holdId: request.holdId };
}

export function toCaptureHold(request: CaptureHoldRequest, at: Path = byItself): CaptureHold {
  return {
    type: "captureHold",
    ...envelope(request),
    holdId: request.holdId,
    amount: amountOf(request, at),
    toUserId: request.toUserId as UserId | undefined,
    isFinal: request.final,
  };
}

export function toExtendHold(request: ExtendHoldRequest, at: Path = byItself): ExtendHold {
  return { type: "extendHold", ...envelope(request), holdId: request.holdId, holdPeriodMs: wholeMs(request.holdPeriod!, at) };
}

export function toWithdrawMoney(request: WithdrawMoneyRequest, at: Path = byItself): WithdrawMoney {
  return { type: "withdrawMoney", ...envelope(request), currency: currencyOf(request), amount: amountOf(request, at) };
}

export function toTransferMoney(request: TransferMoneyRequest, at: Path = byItself): TransferMoney {
  return { type: "transferMoney", ...envelope(request), currency: currencyOf(request), amount: amountOf(request, at), toUserId: request.toUserId as UserId };
}

export function toChangeWalletState(
  type: ChangeWalletState["type"],
  request: FreezeWalletRequest | UnfreezeWalletRequest | CloseWalletRequest,
): ChangeWalletState {
  return { type, ...envelope(request), currency: currencyOf(request) };
}

export function toSetWalletLimits(request: SetWalletLimitsRequest, at: Path = byItself): SetWalletLimits {
  return { type: "setWalletLimits", ...envelope(request), currency: currencyOf(request), balanceMax: balanceMaxOf(request, at) };
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

function amountOf(request: { amount: string }, at: Path): Decimal {
  const amount = parseDecimal(request.amount);
  if (amount === undefined || amount.unscaled === 0n) throw invalidAmount(at("amount"));
  return amount;
}

function balanceMaxOf({ balanceMax }: { balanceMax?: string | undefined }, at: Path): Decimal | undefined {
  if (balanceMax === undefined) return undefined;
  const parsed = parseDecimal(balanceMax);
  if (parsed === undefined) throw invalidAmount(at("balance_max"));
  return parsed;
}

/** The ledger's clock counts milliseconds, and nothing is rounded. Of a duration that is longer than nothing, protobuf says that its nanos are less than a second, and have no sign. */
function wholeMs(holdPeriod: Duration, at: Path): number {
  if (holdPeriod.nanos < 0 || holdPeriod.nanos >= 1_000_000_000) throw invalidField(at("hold_period"), "must have nanos from 0 to 999,999,999");
  if (holdPeriod.nanos % 1_000_000 !== 0) throw invalidField(at("hold_period"), "must be whole milliseconds");
  return durationMs(holdPeriod);
}
