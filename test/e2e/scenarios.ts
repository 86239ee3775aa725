// What the service does, as its callers see it: one table of scenarios, told over every way in. Each scenario has users of its own.

import type { Reason } from "../../src/api/errors.ts";
import { errorScenarios } from "./scenarios-errors.ts";
import { historyScenarios } from "./scenarios-history.ts";
import { spendingScenarios } from "./scenarios-spending.ts";
import { answers, filled, rejects, type Scenario } from "./steps.ts";

/** The service that all scenarios run on, one after the other. */
export const scenarioFlags = ["--queue-max=1", "--request-max-bytes=1KiB", "--currencies=POINTS:0,USDT:6"];

const nothing = { available: "0.00", held: "0.00", total: "0.00" };

/** Reasons of the error table that no scenario meets, and why. */
export const notProvoked = {
  STORE_UNAVAILABLE: "only a database that refuses its work gives it: the fault tests make one",
  OUTCOME_UNKNOWN: "only a commit that fails half-way gives it: the fault tests make one",
  CANCELED: "its caller has hung up, so nobody is there who could be answered",
  INTERNAL: "it is a defect of the service; a call that provokes one is a bug to be mended, not a scenario",
} as const satisfies Partial<Record<Reason, string>>;

const happyScenarios: readonly Scenario[] = [
  {
    name: "a wallet is opened, filled and read",
    steps: [
      answers("InitWallet", { user_id: "ann", currency: "USD" }, {
        operation: { kind: "OPERATION_KIND_INIT", userId: "ann", currency: "USD", amount: "0.00", balanceAfter: nothing, walletVersion: "1" },
        wallet: { userId: "ann", currency: "USD", balance: nothing, state: "WALLET_STATE_ACTIVE", version: "1" },
        replayed: false,
      }),
      answers("AddMoney", { user_id: "ann", currency: "USD", amount: "100.5" }, {
        operation: { kind: "OPERATION_KIND_ADD", amount: "100.50", balanceAfter: { available: "100.50", held: "0.00", total: "100.50" } },
        wallet: { version: "2" },
      }, { as: "added" }),
      answers("GetWallet", { user_id: "ann", currency: "USD" }, { wallet: { balance: { available: "100.50", held: "0.00", total: "100.50" }, version: "2" } }),
      answers("GetWalletBalance", { user_id: "ann" }, { userId: "ann", currency: "USD", available: "100.50", held: "0.00", total: "100.50", version: "2" }),
      answers("GetOperation", { operation_id: "$added.operation.operationId" }, { operation: { kind: "OPERATION_KIND_ADD", hash: "$added.operation.hash", walletVersion: "2" } }),
    ],
  },
  {
    name: "what a caller notes on an operation comes back with it",
    steps: [
      ...filled("bea", "USD", "20.00"),
      answers("AddMoney", { user_id: "bea", amount: "5", reference: "Rechnung № 7", metadata: { shop: "Müller & Söhne", till: "3" } }, {
        operation: { reference: "Rechnung № 7", metadata: { shop: "Müller & Söhne", till: "3" } },
      }, { as: "sold" }),
      answers("AddMoney", { user_id: "bea", amount: "1", related_operation_id: "$sold.operation.operationId" }, {
        operation: { relatedOperationId: "$sold.operation.operationId", reference: "", metadata: {} },
      }),
      answers("GetOperation", { operation_id: "$sold.operation.operationId" }, { operation: { reference: "Rechnung № 7", metadata: { shop: "Müller & Söhne", till: "3" } } }),
    ],
  },
  {
    name: "money is held and the hold is reversed",
    steps: [
      ...filled("cleo", "EUR", "50.00"),
      answers("HoldMoney", { user_id: "cleo", amount: "30" }, {
        operation: { kind: "OPERATION_KIND_HOLD", amount: "30.00" },
        wallet: { balance: { available: "20.00", held: "30.00", total: "50.00" } },
        hold: { amount: "30.00", capturedAmount: "0.00", remainingAmount: "30.00", status: "HOLD_STATUS_ACTIVE" },
      }, { as: "held", without: ["hold.resolveTime"] }),
      answers("GetHold", { user_id: "cleo", hold_id: "$held.operation.operationId" }, { hold: { holdId: "$held.hold.holdId", userId: "cleo", currency: "EUR", status: "HOLD_STATUS_ACTIVE" } }),
      answers("GetHoldReport", { user_id: "cleo" }, { active: { count: "1", amounts: [{ currency: "EUR", amount: "30.00" }] }, reversed: { count: "0", amounts: [] } }),
      answers("ReverseHold", { user_id: "cleo", hold_id: "$held.hold.holdId" }, {
        operation: { kind: "OPERATION_KIND_REVERSE", amount: "30.00", holdId: "$held.hold.holdId" },
        wallet: { balance: { available: "50.00", held: "0.00", total: "50.00" } },
        hold: { holdId: "$held.hold.holdId", remainingAmount: "0.00", status: "HOLD_STATUS_REVERSED" },
      }),
      answers("GetHold", { user_id: "cleo", hold_id: "$held.hold.holdId" }, { hold: { status: "HOLD_STATUS_REVERSED", remainingAmount: "0.00" } }),
      answers("GetHoldReport", { user_id: "cleo", currency: "EUR" }, { active: { count: "0", amounts: [] }, reversed: { count: "1", amounts: [{ currency: "EUR", amount: "30.00" }] } }),
    ],
  },
  {
    name: "holds are released when their period is over, and not before",
    steps: [
      ...filled("dora", "USD", "10.00"),
      answers("HoldMoney", { user_id: "dora", amount: "1", hold_period: "0.001s" }, { hold: { status: "HOLD_STATUS_ACTIVE" } }, { as: "short" }),
      answers("HoldMoney", { user_id: "dora", amount: "2", hold_period: "3600s" }, { hold: { status: "HOLD_STATUS_ACTIVE" } }, { as: "long" }),
      { pauseMs: 20 },
      answers("ReleaseHolds", { user_id: "dora", currency: "EUR" }, { releasedCount: 0, releasedAmounts: [] }),
      answers("ReleaseHolds", { user_id: "dora", validate_only: true }, { releasedCount: 1, releasedAmounts: [{ currency: "USD", amount: "1.00" }], moreRemain: false }),
      answers("GetHold", { user_id: "dora", hold_id: "$short.hold.holdId" }, { hold: { status: "HOLD_STATUS_ACTIVE" } }),
      answers("ReleaseHolds", {}, { releasedCount: 1, releasedAmounts: [{ currency: "USD", amount: "1.00" }], moreRemain: false }),
      answers("ReleaseHolds", {}, { releasedCount: 0, releasedAmounts: [], moreRemain: false }),
      answers("GetHold", { user_id: "dora", hold_id: "$short.hold.holdId" }, { hold: { status: "HOLD_STATUS_RELEASED" } }),
      answers("GetHold", { user_id: "dora", hold_id: "$long.hold.holdId" }, { hold: { status: "HOLD_STATUS_ACTIVE" } }),
      answers("GetWallet", { user_id: "dora" }, { wallet: { balance: { available: "8.00", held: "2.00", total: "10.00" } } }),
    ],
  },
  {
    name: "the same key does a thing once, and says what became of it",
    steps: [
      ...filled("emil", "USD", "10.00"),
      answers("AddMoney", { user_id: "emil", amount: "1.0", idempotency_key: "pay-1" }, { replayed: false }, { as: "first" }),
      answers("HoldMoney", { user_id: "emil", amount: "5" }, {}),
      answers("AddMoney", { user_id: "emil", amount: "1.00", idempotency_key: "pay-1" }, {
        replayed: true,
        operation: { operationId: "$first.operation.operationId", hash: "$first.operation.hash" },
        wallet: { balance: { available: "11.00", held: "0.00", total: "11.00" }, version: "$first.wallet.version" },
      }),
      answers("AddMoney", { user_id: "emil", amount: "1" }, { replayed: true }, { headers: { "idempotency-key": "pay-1" } }),
      answers("AddMoney", { user_id: "emil", amount: "1", idempotency_key: "pay-1" }, { replayed: true }, { headers: { "idempotency-key": "pay-1" } }),
      answers("GetOperation", { user_id: "emil", idempotency_key: "pay-1" }, { operation: { operationId: "$first.operation.operationId", hash: "$first.operation.hash" } }, { without: ["rejection"] }),
      answers("GetWallet", { user_id: "emil" }, { wallet: { balance: { total: "11.00" } } }),
    ],
  },
  {
    name: "a wallet has the decimals of its currency",
    steps: [
      ...filled("fay", "JPY", "1050"),
      answers("InitWallet", { user_id: "gus", currency: "USDT" }, { wallet: { balance: { total: "0.000000" } } }),
      answers("AddMoney", { user_id: "gus", amount: "0.000001" }, { wallet: { balance: { total: "0.000001" } } }),
      answers("InitWallet", { user_id: "hal", currency: "POINTS" }, { wallet: { balance: { total: "0" } } }),
      answers("InitWallet", { user_id: "hal", currency: "BHD" }, { wallet: { balance: { total: "0.000" } } }),
      answers("AddMoney", { user_id: "hal", currency: "BHD", amount: "0.125" }, { wallet: { balance: { total: "0.125" } } }),
      answers("GetWalletOperationReport", { user_id: "hal" }, { adds: { count: "1", amounts: [{ currency: "BHD", amount: "0.125" }] }, holds: { count: "0", amounts: [] } }),
    ],
  },
  {
    name: "a question what would happen changes nothing",
    steps: [
      ...filled("ida", "USD", "10.00"),
      answers("AddMoney", { user_id: "ida", amount: "5", validate_only: true, idempotency_key: "maybe" }, { wallet: { balance: { total: "15.00" }, version: "3" }, replayed: false }, { without: ["operation"] }),
      answers("HoldMoney", { user_id: "ida", amount: "5", validate_only: true }, { wallet: { balance: { available: "5.00", held: "5.00" } }, hold: { amount: "5.00" } }, { without: ["operation"] }),
      answers("InitWallet", { user_id: "ida", currency: "EUR", validate_only: true }, { wallet: { currency: "EUR", version: "1" } }, { without: ["operation"] }),
      rejects("HoldMoney", { user_id: "ida", amount: "11", validate_only: true, idempotency_key: "maybe" }, "INSUFFICIENT_FUNDS"),
      rejects("GetOperation", { user_id: "ida", idempotency_key: "maybe" }, "OPERATION_NOT_FOUND"),
      answers("GetWallet", { user_id: "ida" }, { wallet: { balance: { available: "10.00", held: "0.00", total: "10.00" }, version: "2" } }),
      answers("AddMoney", { user_id: "ida", amount: "7", idempotency_key: "maybe" }, { wallet: { balance: { total: "17.00" }, version: "3" }, replayed: false }),
    ],
  },
  {
    name: "operations are watched, and watched again from where one was",
    steps: [
      ...filled("kai", "USD", "10.00"),
      answers("WatchOperations", { user_id: "kai" }, [{ resumeToken: "a token" }], { first: 1, as: "now" }),
      answers("HoldMoney", { user_id: "kai", amount: "3" }, {}, { as: "held" }),
      answers("WatchOperations", { user_id: "kai", resume_token: "$now.0.resumeToken" }, [{ resumeToken: "a token" }, { operation: { operationId: "$held.operation.operationId", hash: "$held.operation.hash" }, resumeToken: "a token" }], {
        first: 2,
        without: ["0.operation"],
        as: "seen",
      }),
      answers("ReverseHold", { user_id: "kai", hold_id: "$held.hold.holdId" }, {}),
      answers("WatchOperations", { user_id: "kai", resume_token: "$seen.1.resumeToken" }, [{}, { operation: { kind: "OPERATION_KIND_REVERSE", amount: "3.00", holdId: "$held.hold.holdId" } }], { first: 2 }),
      answers("WatchOperations", { user_id: "kai", from_start: true }, [{}, { operation: { kind: "OPERATION_KIND_INIT" } }, { operation: { kind: "OPERATION_KIND_ADD" } }, { operation: { kind: "OPERATION_KIND_HOLD" } }], { first: 4 }),
      rejects("WatchOperations", { resume_token: "$now.0.resumeToken" }, "INVALID_REQUEST", { fields: ["resume_token"] }),
      rejects("WatchOperations", { resume_token: "nonsense" }, "INVALID_REQUEST", { fields: ["resume_token"] }),
    ],
  },
  {
    name: "a caller acts only on the version that it has seen",
    steps: [
      answers("InitWallet", { user_id: "jo", currency: "USD", expected_version: "0" }, { wallet: { version: "1" } }),
      answers("AddMoney", { user_id: "jo", amount: "5", expected_version: "1" }, { wallet: { version: "2" } }),
      answers("HoldMoney", { user_id: "jo", amount: "5", expected_version: "2" }, { wallet: { version: "3" } }, { as: "held" }),
      answers("ReverseHold", { user_id: "jo", hold_id: "$held.hold.holdId", expected_version: "3" }, { wallet: { version: "4" } }),
    ],
  },
  {
    name: "the books are verified, and a receipt is good while the journal has its operation",
    steps: [
      ...filled("vera", "USD", "10.00"),
      answers("HoldMoney", { user_id: "vera", amount: "4" }, {}, { as: "held" }),
      answers("VerifyReceipt", { operation_id: "$held.operation.operationId", hash: "$held.operation.hash" }, { valid: true }),
      answers("VerifyReceipt", { operation_id: "1", hash: "$held.operation.hash" }, { valid: false }),
      answers("VerifyReceipt", { operation_id: "9223372036854775807", hash: "$held.operation.hash" }, { valid: false }),
      answers("VerifyLedger", {}, [{ result: { ok: true, mismatches: [], mismatchCount: "0" } }]),
    ],
  },
];

const lastScenario: Scenario = {
  name: "the reports on everybody add up all of the above",
  steps: [
    answers("GetHoldReport", {}, { released: { count: "1", amounts: [{ currency: "USD", amount: "1.00" }] } }),
    answers("GetHoldReport", { currency: "EUR" }, { reversed: { count: "1", amounts: [{ currency: "EUR", amount: "30.00" }] } }),
    answers("GetWalletOperationReport", { currency: "BHD" }, { adds: { count: "1", amounts: [{ currency: "BHD", amount: "0.125" }] } }),
    answers("GetWalletOperationReport", {}, { captures: { count: "3", amounts: [{ currency: "EUR", amount: "4.00" }, { currency: "USD", amount: "15.00" }] }, transfersIn: { count: "3" } }),
    answers("GetHoldReport", { user_id: "unheard-of" }, { active: { count: "0", amounts: [] } }),
  ],
};

export const scenarios: readonly Scenario[] = [...happyScenarios, ...spendingScenarios, ...errorScenarios, lastScenario, ...historyScenarios];
