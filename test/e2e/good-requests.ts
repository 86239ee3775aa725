// For each RPC that is served, requests in which nothing is wrong, with every field that such a request may have at once.

import type { JsonObject } from "@bufbuild/protobuf";
import { resumeTokens } from "../../src/api/resume-token.ts";
import { journalStart } from "../../src/domain/journal.ts";
import type { UserId } from "../../src/domain/wallet.ts";

/** For a ledger in which ann has a USD wallet of version 3 with this hold on it, whose id is its operation's, and ben an empty one. Whoever sends one of them that changes something changes the ledger. */
export function goodRequests(holdId: string): Readonly<Record<string, readonly JsonObject[]>> {
  const notes = { idempotency_key: "never-seen", reference: "r", metadata: { k: "v" }, validate_only: false };
  return {
    InitWallet: [{ user_id: "ann", currency: "EUR", balance_max: "10", expected_version: "0", ...notes }],
    AddMoney: [{ user_id: "ann", currency: "USD", amount: "1.00", related_operation_id: holdId, expected_version: "3", ...notes }],
    HoldMoney: [{ user_id: "ann", currency: "USD", amount: "1.00", hold_period: "60s", expected_version: "3", ...notes }],
    ReleaseHolds: [{ user_id: "ann", currency: "USD", validate_only: false }],
    ReverseHold: [{ user_id: "ann", hold_id: holdId, expected_version: "3", ...notes }],
    CaptureHold: [{ user_id: "ann", hold_id: holdId, amount: "1.00", to_user_id: "ben", final: true, expected_version: "3", ...notes }],
    ExtendHold: [{ user_id: "ann", hold_id: holdId, hold_period: "7200s", expected_version: "3", ...notes }],
    WithdrawMoney: [{ user_id: "ann", currency: "USD", amount: "1.00", expected_version: "3", ...notes }],
    TransferMoney: [{ user_id: "ann", currency: "USD", amount: "1.00", to_user_id: "ben", expected_version: "3", ...notes }],
    FreezeWallet: [{ user_id: "ann", currency: "USD", expected_version: "3", ...notes }],
    UnfreezeWallet: [{ user_id: "ann", currency: "USD", expected_version: "3", ...notes }],
    CloseWallet: [{ user_id: "ben", currency: "USD", expected_version: "1", ...notes }],
    SetWalletLimits: [{ user_id: "ann", currency: "USD", balance_max: "10", expected_version: "3", ...notes }],
    // An item that is rejected is a good answer too, and changes nothing.
    ExecuteBatch: [{ items: [{ withdraw_money: { user_id: "nobody", amount: "1.00" } }], atomic: false }],
    GetWallet: [{ user_id: "ann", currency: "USD" }],
    GetHold: [{ user_id: "ann", hold_id: holdId }],
    GetOperation: [{ user_id: "ann", idempotency_key: "seen" }, { operation_id: holdId }],
    GetWalletBalance: [{ user_id: "ann", currency: "USD", as_of_time: "2020-01-01T00:00:00Z" }, { user_id: "ann", currency: "USD", as_of_operation_id: holdId }, { user_id: "ann", currency: "USD" }],
    GetStatement: [{ user_id: "ann", currency: "USD", start_time: "2020-01-01T00:00:00Z", end_time: "2099-01-01T00:00:00Z" }],
    ListWallets: [{ user_id: "ann", page_size: 10, page_token: "" }],
    ListHolds: [{ user_id: "ann", currency: "USD", status: "HOLD_STATUS_ACTIVE", eligible: true, page_size: 10, page_token: "" }],
    ListOperations: [
      { user_id: "ann", currency: "USD", page_size: 10, page_token: "", kind: "OPERATION_KIND_ADD", start_time: "2020-01-01T00:00:00Z", end_time: "2099-01-01T00:00:00Z", reference: "r" },
    ],
    WatchOperations: [{ user_id: "ann", from_start: true }, { user_id: "ann", resume_token: resumeTokens("ann" as UserId).write([journalStart(0)]) }, {}],
    GetHoldReport: [{ user_id: "ann", currency: "USD" }],
    GetWalletOperationReport: [{ user_id: "ann", currency: "USD" }],
    VerifyLedger: [{}],
    VerifyReceipt: [{ operation_id: holdId, hash: Buffer.alloc(32).toString("base64") }],
  };
}
