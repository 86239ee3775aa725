// The one table of errors: every reason that a caller can meet, its status code and what it means; and the one way to build such an error.

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { RejectionReason } from "../domain/rejection.ts";

/** Reasons that the ledger's decisions never give: they come from the request's form, the service's state or its defects. */
type ServiceReason =
  | "INVALID_REQUEST"
  | "INVALID_AMOUNT"
  | "INVALID_PAGE_TOKEN"
  | "OVERLOADED"
  | "MESSAGE_TOO_LARGE"
  | "STORE_UNAVAILABLE"
  | "OUTCOME_UNKNOWN"
  | "DEADLINE_EXCEEDED"
  | "CANCELED"
  | "UNKNOWN_METHOD"
  | "INTERNAL";

export type Reason = RejectionReason | ServiceReason;

/** Code and meaning of every reason. `docs/errors.md` is printed from this table. */
export const errorTable = {
  INVALID_REQUEST: { code: Code.InvalidArgument, meaning: "The request does not parse, names an unknown field, or a field breaks its rule. The field violations say which." },
  INVALID_AMOUNT: { code: Code.InvalidArgument, meaning: "An amount is not a decimal string greater than zero, such as \"10.50\"." },
  INVALID_PAGE_TOKEN: { code: Code.InvalidArgument, meaning: "The page token is none of this list with this filter. Send the `next_page_token` of the page before with the same filter." },
  AMOUNT_TOO_PRECISE: { code: Code.InvalidArgument, meaning: "An amount has more decimals than its currency. Nothing is ever rounded." },
  AMOUNT_OUT_OF_RANGE: { code: Code.InvalidArgument, meaning: "An amount has more minor units than a signed 64-bit integer can count." },
  UNKNOWN_CURRENCY: { code: Code.InvalidArgument, meaning: "The currency is neither in ISO 4217 nor configured with WALLET_CURRENCIES." },
  CURRENCY_REQUIRED: { code: Code.InvalidArgument, meaning: "The user has several wallets, so the request must name the currency." },
  SAME_WALLET: { code: Code.InvalidArgument, meaning: "Payer and receiver are the same wallet." },
  IDEMPOTENCY_KEY_REUSED: { code: Code.InvalidArgument, meaning: "The idempotency key was used for another request. A new intention takes a new key." },
  WALLET_NOT_FOUND: { code: Code.NotFound, meaning: "The user has no wallet in this currency. InitWallet opens one." },
  HOLD_NOT_FOUND: { code: Code.NotFound, meaning: "This user has no hold with this id." },
  OPERATION_NOT_FOUND: { code: Code.NotFound, meaning: "No such operation: never seen, still under way, or its key is no longer kept." },
  WALLET_EXISTS: { code: Code.AlreadyExists, meaning: "The user already has a wallet in this currency, open or closed." },
  INSUFFICIENT_FUNDS: { code: Code.FailedPrecondition, meaning: "The wallet has less available money than the operation needs." },
  HOLD_NOT_ACTIVE: { code: Code.FailedPrecondition, meaning: "The hold has been released, reversed or captured before." },
  CAPTURE_EXCEEDS_HOLD: { code: Code.FailedPrecondition, meaning: "More is to be captured than remains of the hold." },
  HOLD_PERIOD_SHORTENED: { code: Code.FailedPrecondition, meaning: "The new hold period is not longer than the hold's own. A hold is only ever extended." },
  WALLET_FROZEN: { code: Code.FailedPrecondition, meaning: "The wallet is frozen: no holds, withdrawals, captures or transfers out, and no second freeze. UnfreezeWallet ends it." },
  WALLET_CLOSED: { code: Code.FailedPrecondition, meaning: "The wallet is closed, which is final." },
  WALLET_NOT_EMPTY: { code: Code.FailedPrecondition, meaning: "Only a wallet with a total of zero can be closed." },
  BALANCE_LIMIT_EXCEEDED: { code: Code.FailedPrecondition, meaning: "The money coming in would take the wallet's total above its `balance_max` or out of the 64-bit range." },
  VERSION_MISMATCH: { code: Code.Aborted, meaning: "The wallet's version is not the `expected_version`: something happened in between. Read it again and decide anew." },
  BATCH_ABORTED: { code: Code.Aborted, meaning: "An item of an atomic batch was rejected, so nothing of the batch was done. The error names the item and its reason. A new attempt takes new keys for all items." },
  OVERLOADED: { code: Code.ResourceExhausted, meaning: "The service has as much work waiting as it takes. Nothing was done; send it again after the delay in RetryInfo." },
  MESSAGE_TOO_LARGE: { code: Code.ResourceExhausted, meaning: "The request is larger than the server takes." },
  STORE_UNAVAILABLE: { code: Code.Unavailable, meaning: "The database refused the work, or the service is going down. Nothing was done; send it again later, a watch with its last resume token." },
  OUTCOME_UNKNOWN: { code: Code.Unavailable, meaning: "The work may or may not have been done. Send it again with the same idempotency key, or ask GetOperation." },
  DEADLINE_EXCEEDED: { code: Code.DeadlineExceeded, meaning: "The call's deadline passed. A change may still have been made: send it again with the same idempotency key, or ask GetOperation." },
  CANCELED: { code: Code.Canceled, meaning: "The caller gave up. A change may still have been made: send it again with the same idempotency key, or ask GetOperation." },
  UNKNOWN_METHOD: { code: Code.Unimplemented, meaning: "There is no such method or path." },
  INTERNAL: { code: Code.Internal, meaning: "A defect of the service. The request id finds it in the server's log." },
} as const satisfies Record<Reason, { code: Code; meaning: string }>;

/** The `domain` of every ErrorInfo. */
export const errorDomain = "wallet.v1";

/** One field that is wrong. `field` is the proto path, such as `user_id` or `metadata["k"]`. */
export interface FieldViolation {
  field: string;
  description: string;
}

/** What an error carries beside its reason and sentence. */
export interface ErrorFacts {
  /** Every number and name that a person would want, by snake_case name. */
  metadata?: Record<string, string>;
  violations?: readonly FieldViolation[];
  /** How long to wait before sending the call again, in milliseconds. Only where sending it again helps. */
  retryAfterMs?: number;
}

/**
 * Builds the error that leaves the service: status, sentence, exactly one ErrorInfo, and what `facts` adds to it. Without a sentence of its own it
 * says what the reason means.
 */
export function serviceError(reason: Reason, sentence: string = errorTable[reason].meaning, facts: ErrorFacts = {}): ConnectError {
  const error = new ConnectError(sentence, errorTable[reason].code);
  error.details.push({ desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: errorDomain, metadata: facts.metadata ?? {} }) });
  if (facts.violations !== undefined && facts.violations.length > 0) {
    error.details.push({ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations: [...facts.violations] }) });
  }
  if (facts.retryAfterMs !== undefined) {
    const retryDelay = { seconds: BigInt(Math.floor(facts.retryAfterMs / 1000)), nanos: (facts.retryAfterMs % 1000) * 1_000_000 };
    error.details.push({ desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) });
  }
  return error;
}

/** A request that is wrong in one field. */
export function invalidField(field: string, description: string): ConnectError {
  return serviceError("INVALID_REQUEST", `${field}: ${description}`, { metadata: { field }, violations: [{ field, description }] });
}

/** An amount that is none. */
export function invalidAmount(field: string): ConnectError {
  const description = 'must be a decimal string greater than zero, such as "10.50"';
  return serviceError("INVALID_AMOUNT", `${field}: ${description}.`, { metadata: { field }, violations: [{ field, description }] });
}

/** The answer to a defect: nothing of it but the id that finds it in the log. */
export function internalError(requestId: string): ConnectError {
  return serviceError("INTERNAL", `Internal error. The server's log has it under request id ${requestId}.`, { metadata: { request_id: requestId } });
}
