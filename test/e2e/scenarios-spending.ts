// The scenarios of money that is spent, moved, frozen and batched.

import { answers, filled, rejects, type Scenario } from "./steps.ts";

const balance = (available: string, held: string, total: string): { available: string; held: string; total: string } => ({ available, held, total });

export const spendingScenarios: readonly Scenario[] = [
  {
    name: "a hold is captured in parts, and the last part gives back the rest",
    steps: [
      ...filled("sal", "USD", "50.00"),
      answers("HoldMoney", { user_id: "sal", amount: "30" }, {}, { as: "held" }),
      rejects("CaptureHold", { user_id: "sal", hold_id: "$held.hold.holdId", amount: "30.01" }, "CAPTURE_EXCEEDS_HOLD", { metadata: { remaining: "30.00", requested: "30.01", currency: "USD" } }),
      answers("CaptureHold", { user_id: "sal", hold_id: "$held.hold.holdId", amount: "10", idempotency_key: "part-1" }, {
        operation: { kind: "OPERATION_KIND_CAPTURE", amount: "10.00", holdId: "$held.hold.holdId", entries: [] },
        wallet: { balance: balance("20.00", "20.00", "40.00") },
        hold: { amount: "30.00", capturedAmount: "10.00", remainingAmount: "20.00", status: "HOLD_STATUS_ACTIVE" },
        replayed: false,
      }, { without: ["hold.resolveTime"] }),
      answers("CaptureHold", { user_id: "sal", hold_id: "$held.hold.holdId", amount: "5", final: true }, {
        wallet: { balance: balance("35.00", "0.00", "35.00") },
        hold: { capturedAmount: "15.00", remainingAmount: "0.00", status: "HOLD_STATUS_CAPTURED" },
      }),
      answers("CaptureHold", { user_id: "sal", hold_id: "$held.hold.holdId", amount: "10.0", idempotency_key: "part-1" }, { replayed: true, hold: { remainingAmount: "20.00", status: "HOLD_STATUS_ACTIVE" } }),
      rejects("CaptureHold", { user_id: "sal", hold_id: "$held.hold.holdId", amount: "1" }, "HOLD_NOT_ACTIVE", { metadata: { status: "CAPTURED" } }),
      rejects("CaptureHold", { user_id: "somebody", hold_id: "$held.hold.holdId", amount: "1" }, "HOLD_NOT_FOUND"),
      answers("GetHoldReport", { user_id: "sal" }, { active: { count: "0" }, captured: { count: "1", amounts: [{ currency: "USD", amount: "15.00" }] } }),
      answers("GetWalletOperationReport", { user_id: "sal" }, { captures: { count: "2", amounts: [{ currency: "USD", amount: "15.00" }] } }),
    ],
  },
  {
    name: "money goes to another's wallet, and neither sees what the other has",
    steps: [
      ...filled("tam", "EUR", "20.00"),
      ...filled("ulf", "EUR", "1.00"),
      answers("TransferMoney", { user_id: "tam", to_user_id: "ulf", amount: "5" }, {
        operation: {
          kind: "OPERATION_KIND_TRANSFER",
          userId: "tam",
          amount: "5.00",
          balanceAfter: balance("15.00", "0.00", "15.00"),
          entries: [
            { userId: "tam", currency: "EUR", availableChange: "-5.00", heldChange: "0.00", balanceAfter: balance("15.00", "0.00", "15.00") },
            { userId: "ulf", currency: "EUR", availableChange: "5.00", heldChange: "0.00" },
          ],
        },
        wallet: { userId: "tam", version: "3" },
      }, { as: "moved", without: ["operation.entries.1.balanceAfter"] }),
      answers("HoldMoney", { user_id: "tam", amount: "10" }, {}, { as: "held" }),
      answers("CaptureHold", { user_id: "tam", hold_id: "$held.hold.holdId", amount: "4", to_user_id: "ulf", final: true }, {
        operation: { entries: [{ userId: "tam", availableChange: "6.00", heldChange: "-10.00" }, { userId: "ulf", availableChange: "4.00", heldChange: "0.00" }] },
        wallet: { balance: balance("11.00", "0.00", "11.00") },
      }, { without: ["operation.entries.1.balanceAfter"] }),
      answers("GetWallet", { user_id: "ulf" }, { wallet: { balance: balance("10.00", "0.00", "10.00"), version: "4" } }),
      answers("GetOperation", { operation_id: "$moved.operation.operationId" }, { operation: { entries: [{ balanceAfter: { total: "15.00" } }, { balanceAfter: { total: "6.00" } }] } }),
      rejects("TransferMoney", { user_id: "tam", to_user_id: "tam", amount: "1" }, "SAME_WALLET", { fields: ["to_user_id"] }),
      rejects("TransferMoney", { user_id: "tam", to_user_id: "nobody-here", amount: "1" }, "WALLET_NOT_FOUND", { metadata: { user_id: "nobody-here", currency: "EUR" } }),
      rejects("TransferMoney", { user_id: "tam", to_user_id: "ulf", amount: "11.01" }, "INSUFFICIENT_FUNDS", { metadata: { available: "11.00" } }),
      answers("SetWalletLimits", { user_id: "ulf", balance_max: "12.5" }, { operation: { kind: "OPERATION_KIND_SET_LIMITS", amount: "0.00" }, wallet: { balanceMax: "12.50" } }),
      rejects("TransferMoney", { user_id: "tam", to_user_id: "ulf", amount: "3" }, "BALANCE_LIMIT_EXCEEDED", { metadata: { user_id: "ulf", requested: "3.00" } }),
      answers("SetWalletLimits", { user_id: "ulf" }, {}, { without: ["wallet.balanceMax"] }),
      answers("TransferMoney", { user_id: "tam", to_user_id: "ulf", amount: "3" }, {}),
      answers("GetWalletOperationReport", { user_id: "ulf" }, { transfersIn: { count: "3", amounts: [{ currency: "EUR", amount: "12.00" }] } }),
      answers("GetWalletOperationReport", { user_id: "tam" }, { transfersOut: { count: "2", amounts: [{ currency: "EUR", amount: "8.00" }] }, captures: { count: "1" } }),
    ],
  },
  {
    name: "a hold lives longer when it is extended, and never shorter",
    steps: [
      ...filled("ugo", "USD", "5.00"),
      answers("HoldMoney", { user_id: "ugo", amount: "5", hold_period: "60s" }, {}, { as: "held" }),
      answers("ExtendHold", { user_id: "ugo", hold_id: "$held.hold.holdId", hold_period: "120s" }, { operation: { kind: "OPERATION_KIND_EXTEND" }, hold: { status: "HOLD_STATUS_ACTIVE" }, wallet: { version: "4" } }),
      rejects("ExtendHold", { user_id: "ugo", hold_id: "$held.hold.holdId", hold_period: "120s" }, "HOLD_PERIOD_SHORTENED", { metadata: { hold_period: "120s", requested: "120s" } }),
      rejects("ExtendHold", { user_id: "ugo", hold_id: "$held.hold.holdId" }, "INVALID_REQUEST", { fields: ["hold_period"] }),
    ],
  },
  {
    name: "a wallet is emptied, frozen, unfrozen and closed",
    steps: [
      ...filled("viki", "USD", "5.00"),
      answers("HoldMoney", { user_id: "viki", amount: "2" }, {}, { as: "held" }),
      answers("FreezeWallet", { user_id: "viki" }, { operation: { kind: "OPERATION_KIND_FREEZE" }, wallet: { state: "WALLET_STATE_FROZEN" } }),
      rejects("FreezeWallet", { user_id: "viki" }, "WALLET_FROZEN", { metadata: { user_id: "viki", currency: "USD" } }),
      rejects("HoldMoney", { user_id: "viki", amount: "1" }, "WALLET_FROZEN"),
      rejects("WithdrawMoney", { user_id: "viki", amount: "1" }, "WALLET_FROZEN"),
      rejects("TransferMoney", { user_id: "viki", to_user_id: "ann", amount: "1" }, "WALLET_FROZEN"),
      rejects("CaptureHold", { user_id: "viki", hold_id: "$held.hold.holdId", amount: "1" }, "WALLET_FROZEN"),
      answers("AddMoney", { user_id: "viki", amount: "1" }, {}),
      answers("ReverseHold", { user_id: "viki", hold_id: "$held.hold.holdId" }, { wallet: { balance: balance("6.00", "0.00", "6.00") } }),
      answers("UnfreezeWallet", { user_id: "viki" }, { operation: { kind: "OPERATION_KIND_UNFREEZE" }, wallet: { state: "WALLET_STATE_ACTIVE" } }),
      rejects("CloseWallet", { user_id: "viki" }, "WALLET_NOT_EMPTY", { metadata: { currency: "USD", available: "6.00", held: "0.00" } }),
      answers("WithdrawMoney", { user_id: "viki", amount: "6" }, { operation: { kind: "OPERATION_KIND_WITHDRAW", amount: "6.00" }, wallet: { balance: balance("0.00", "0.00", "0.00") } }),
      answers("CloseWallet", { user_id: "viki" }, { operation: { kind: "OPERATION_KIND_CLOSE" }, wallet: { state: "WALLET_STATE_CLOSED" } }),
      rejects("AddMoney", { user_id: "viki", amount: "1" }, "WALLET_CLOSED", { metadata: { user_id: "viki", currency: "USD" } }),
      rejects("UnfreezeWallet", { user_id: "viki" }, "WALLET_CLOSED"),
      rejects("InitWallet", { user_id: "viki", currency: "USD" }, "WALLET_EXISTS"),
    ],
  },
  {
    name: "a batch is decided in order, each item with its own outcome",
    steps: [
      ...filled("wanda", "USD", "1.00"),
      answers("ExecuteBatch", {
        items: [
          { withdraw_money: { user_id: "wanda", amount: "2" } },
          { add_money: { user_id: "wanda", amount: "5", idempotency_key: "b" } },
          { hold_money: { user_id: "wanda", amount: "2" } },
          { add_money: { user_id: "wanda", amount: "5", idempotency_key: "b" } },
        ],
      }, {
        results: [
          { rejected: { reason: "INSUFFICIENT_FUNDS", metadata: { available: "1.00", requested: "2.00" } } },
          { applied: { balanceAfter: balance("6.00", "0.00", "6.00"), replayed: false } },
          { applied: { balanceAfter: balance("4.00", "2.00", "6.00") } },
          { applied: { balanceAfter: balance("6.00", "0.00", "6.00"), replayed: true } },
        ],
      }, { without: ["results.1.applied.holdId"] }),
      rejects("ExecuteBatch", { items: [] }, "INVALID_REQUEST", { fields: ["items"] }),
      rejects("ExecuteBatch", { items: [{ add_money: { user_id: "wanda", amount: "1" } }, { add_money: { user_id: "wanda", amount: "0" } }] }, "INVALID_AMOUNT", { fields: ["items[1].add_money.amount"] }),
      rejects("ExecuteBatch", { items: [{ add_money: { user_id: "wanda", amount: "1" } }, { add_money: { user_id: "w a n", amount: "1" } }] }, "INVALID_REQUEST", { fields: ["items[1].add_money.user_id"] }),
      rejects("ExecuteBatch", { items: [{ add_money: { user_id: "wanda", amount: "1", validate_only: true } }] }, "INVALID_REQUEST", { fields: ["items[0].add_money.validate_only"] }),
      rejects("ExecuteBatch", { items: [{ add_money: { user_id: "wanda", amount: "1" } }] }, "INVALID_REQUEST", { fields: ["idempotency_key"], headers: { "idempotency-key": "whole" } }),
      answers("GetWallet", { user_id: "wanda" }, { wallet: { balance: balance("4.00", "2.00", "6.00"), version: "4" } }),
    ],
  },
  {
    name: "BATCH_ABORTED: an atomic batch is all or nothing, and stays so under its keys",
    steps: [
      ...filled("xena", "USD", "1.00"),
      rejects("ExecuteBatch", { atomic: true, items: [{ add_money: { user_id: "xena", amount: "1", idempotency_key: "a" } }, { withdraw_money: { user_id: "xena", amount: "9", idempotency_key: "w" } }] }, "BATCH_ABORTED", {
        metadata: { item: "1", item_reason: "INSUFFICIENT_FUNDS", available: "2.00", requested: "9.00" },
      }),
      answers("AddMoney", { user_id: "xena", amount: "100" }, { wallet: { version: "3", balance: balance("101.00", "0.00", "101.00") } }),
      rejects("ExecuteBatch", { atomic: true, items: [{ add_money: { user_id: "xena", amount: "1", idempotency_key: "a" } }, { withdraw_money: { user_id: "xena", amount: "9", idempotency_key: "w" } }] }, "BATCH_ABORTED", {
        metadata: { item: "1", item_reason: "INSUFFICIENT_FUNDS", replayed: "true" },
      }),
      rejects("AddMoney", { user_id: "xena", amount: "1", idempotency_key: "a" }, "BATCH_ABORTED", { metadata: { item: "1" } }),
      answers("ExecuteBatch", { atomic: true, items: [{ add_money: { user_id: "xena", amount: "1" } }, { withdraw_money: { user_id: "xena", amount: "9" } }] }, {
        results: [{ applied: { balanceAfter: { total: "102.00" } } }, { applied: { balanceAfter: { total: "93.00" } } }],
      }),
    ],
  },
];
