// The ledger's rejections as errors and answers, for people and programs: the reason, a sentence that says what to do, and the facts by name.

import { create } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { RejectionSchema, type Rejection as RejectionMessage } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { formatMinor } from "../domain/money.ts";
import type { MoneyFact, Rejection } from "../domain/rejection.ts";
import { serviceError, type ErrorFacts } from "./errors.ts";

/** What a rejection says. */
interface Explanation extends ErrorFacts {
  readonly sentence: string;
  readonly metadata: Record<string, string>;
}

/** The error that a rejected call is answered with. `replayed`: the rejection was remembered under the call's idempotency key. */
export function rejectionError(rejection: Rejection, replayed: boolean): ConnectError {
  const { sentence, metadata, violations = [] } = explain(rejection);
  return serviceError(rejection.reason, sentence, { metadata: marked(metadata, replayed), violations });
}

/** The rejection as an answer, for those who did not ask for it to be an error. */
export function toRejection(rejection: Rejection, replayed: boolean): RejectionMessage {
  const { sentence, metadata } = explain(rejection);
  return create(RejectionSchema, { reason: rejection.reason, message: sentence, metadata: marked(metadata, replayed) });
}

/** The sentence and facts of a rejection. Amounts are decimal strings in the currency's own unit. */
function explain(rejection: Rejection): Explanation {
  switch (rejection.reason) {
    case "AMOUNT_TOO_PRECISE": {
      const { field, currency, exponent } = rejection;
      const meaning = exponent === 0 ? "has no decimals, and nothing is rounded; send a whole amount" : `has at most ${exponent} decimals, and nothing is rounded; send no more of them`;
      return wrongField(field, `${currency} ${meaning}`, { currency, decimals: `${exponent}` });
    }
    case "AMOUNT_OUT_OF_RANGE": {
      const { field, maximum } = rejection;
      return wrongField(field, `must be at most ${money(maximum)}`, { currency: maximum.currency, maximum: amount(maximum) });
    }
    case "UNKNOWN_CURRENCY": {
      const { currency } = rejection;
      return wrongField("currency", `${currency} is neither in ISO 4217 nor an asset configured with WALLET_CURRENCIES; name one that is`, { currency });
    }
    case "CURRENCY_REQUIRED": {
      const currencies = rejection.currencies.join(",");
      return wrongField("currency", `the user has several wallets; name one of ${currencies}`, { user_id: rejection.userId, currencies });
    }
    case "SAME_WALLET":
      return wrongField("to_user_id", "payer and receiver are the same wallet; name another user", { user_id: rejection.userId });
    case "IDEMPOTENCY_KEY_REUSED":
      return wrongField("idempotency_key", "was used for another request; a new intention takes a new key", { idempotency_key: rejection.idempotencyKey });
    case "VERSION_MISMATCH": {
      const { expectedVersion, actualVersion } = rejection;
      return {
        sentence: `The wallet has version ${actualVersion}, not ${expectedVersion}: something happened in between. Read it again and decide anew.`,
        metadata: { expected_version: `${expectedVersion}`, actual_version: `${actualVersion}` },
      };
    }
    case "BATCH_ABORTED": {
      const { index, causeReason, cause } = rejection;
      const why = cause && explain(cause);
      return {
        sentence: `Nothing of the batch was done, because items[${index}] was rejected with ${causeReason}${why === undefined ? "." : `: ${why.sentence}`}`,
        metadata: { ...why?.metadata, item: `${index}`, item_reason: causeReason },
      };
    }
    case "WALLET_NOT_FOUND": {
      const { userId, currency } = rejection;
      return {
        sentence: `User ${userId} has no ${currency === undefined ? "wallet" : `wallet in ${currency}`}. InitWallet opens one.`,
        metadata: currency === undefined ? { user_id: userId } : { user_id: userId, currency },
      };
    }
    case "WALLET_EXISTS": {
      const { userId, currency } = rejection;
      return { sentence: `User ${userId} already has a wallet in ${currency}, open or closed: a user has at most one per currency, and a closed one stays closed.`, metadata: { user_id: userId, currency } };
    }
    case "HOLD_NOT_FOUND": {
      const { userId, holdId } = rejection;
      return { sentence: `User ${userId} has no hold ${holdId}. Check the user and the id of the hold.`, metadata: { user_id: userId, hold_id: `${holdId}` } };
    }
    case "HOLD_NOT_ACTIVE": {
      const { holdId, status } = rejection;
      return { sentence: `Hold ${holdId} is ${status}, which is final. Nothing is held by it any more; to set money aside again, place a new hold.`, metadata: { hold_id: `${holdId}`, status } };
    }
    case "OPERATION_NOT_FOUND": {
      const operationId = `${rejection.operationId}`;
      return { sentence: `The ledger has no operation ${operationId}. Check the id.`, metadata: { operation_id: operationId } };
    }
    case "INSUFFICIENT_FUNDS": {
      const { available, requested } = rejection;
      return {
        sentence: `The wallet has ${money(available)} available and the operation needs ${money(requested)}. Add money or ask for less.`,
        metadata: { currency: available.currency, available: amount(available), requested: amount(requested) },
      };
    }
    case "CAPTURE_EXCEEDS_HOLD": {
      const { holdId, remaining, requested } = rejection;
      return {
        sentence: `${money(remaining)} remain of hold ${holdId}, so ${money(requested)} cannot be captured. Capture at most what remains.`,
        metadata: { hold_id: `${holdId}`, currency: remaining.currency, remaining: amount(remaining), requested: amount(requested) },
      };
    }
    case "HOLD_PERIOD_SHORTENED": {
      const { holdId, holdPeriodMs, requestedMs } = rejection;
      return {
        sentence: `Hold ${holdId} has a period of ${seconds(holdPeriodMs)} and ${seconds(requestedMs)} is not longer. A hold is only ever extended; ask for a longer period.`,
        metadata: { hold_id: `${holdId}`, hold_period: seconds(holdPeriodMs), requested: seconds(requestedMs) },
      };
    }
    case "WALLET_FROZEN": {
      const { userId, currency } = rejection;
      return { sentence: `The ${currency} wallet of user ${userId} is frozen. UnfreezeWallet ends that.`, metadata: { user_id: userId, currency } };
    }
    case "WALLET_CLOSED": {
      const { userId, currency } = rejection;
      return { sentence: `The ${currency} wallet of user ${userId} is closed, which is final; use another wallet.`, metadata: { user_id: userId, currency } };
    }
    case "WALLET_NOT_EMPTY": {
      const { available, held } = rejection;
      return {
        sentence: `The wallet still has ${money(available)} available and ${money(held)} held. Only an empty wallet can be closed: reverse or capture its holds, and take the money out.`,
        metadata: { currency: available.currency, available: amount(available), held: amount(held) },
      };
    }
    case "BALANCE_LIMIT_EXCEEDED": {
      if ("toUserId" in rejection) {
        const { toUserId, requested } = rejection;
        return {
          sentence: `The wallet of user ${toUserId} cannot take ${money(requested)} more: its total would exceed its limit. Send less.`,
          metadata: { user_id: toUserId, currency: requested.currency, requested: amount(requested) },
        };
      }
      const { total, requested, maximum } = rejection;
      return {
        sentence: `The wallet contains ${money(total)} and may contain at most ${money(maximum)}, so ${money(requested)} more cannot come in. Send less, or raise a limit of its own with SetWalletLimits.`,
        metadata: { currency: total.currency, total: amount(total), requested: amount(requested), balance_max: amount(maximum) },
      };
    }
    default:
      return rejection satisfies never;
  }
}

function marked(metadata: Record<string, string>, replayed: boolean): Record<string, string> {
  return replayed ? { ...metadata, replayed: "true" } : metadata;
}

function wrongField(field: string, description: string, metadata: Record<string, string> = {}): Explanation {
  return { sentence: `${field}: ${description}.`, metadata: { field, ...metadata }, violations: [{ field, description }] };
}

function amount(fact: MoneyFact): string {
  return formatMinor(fact.minor, fact.exponent);
}

/** As protobuf's JSON writes a Duration: "600s", "0.5s". */
function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

function money(fact: MoneyFact): string {
  return `${amount(fact)} ${fact.currency}`;
}
