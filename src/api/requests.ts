// From requests to commands: parsed once, into types that cannot be wrong. Rules of single fields were checked before by validation.

import { durationMs, type Duration } from "@bufbuild/protobuf/wkt";
import type { AddMoneyRequest, HoldMoneyRequest, InitWalletRequest, ReleaseHoldsRequest, ReverseHoldRequest } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { AddMoney, CommandEnvelope, HoldMoney, InitWallet, ReleaseHolds, ReverseHold } from "../domain/command.ts";
import { parseDecimal, type Decimal } from "../domain/money.ts";
import type { CurrencyCode, UserId } from "../domain/wallet.ts";
import { invalidAmount, invalidField } from "./errors.ts";

export function toInitWallet(request: InitWalletRequest): InitWallet {
  const balanceMax = request.balanceMax === undefined ? undefined : decimal("balance_max", request.balanceMax);
  return { type: "initWallet", ...envelope(request), currency: request.currency as CurrencyCode, balanceMax };
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
