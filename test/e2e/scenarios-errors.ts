// The scenarios of the error table: every reason that a caller can meet through an ordinary call, and that nothing happened then.

import { answers, filled, rejects, type Scenario } from "./steps.ts";

/** 2^63 − 1 cents. */
const most = "92233720368547758.07";

/** Twice the largest request that the scenarios' service takes. */
const tooLong = "x".repeat(2_048);

export const errorScenarios: readonly Scenario[] = [
  {
    name: "INVALID_REQUEST names each wrong field",
    steps: [
      rejects("InitWallet", { user_id: "a b", currency: "USD" }, "INVALID_REQUEST", { fields: ["user_id"] }),
      rejects("InitWallet", { user_id: "kim", currency: "usd" }, "INVALID_REQUEST", { fields: ["currency"] }),
      rejects("AddMoney", { user_id: "", amount: "1", currency: "$", idempotency_key: "a b", metadata: { "": "" } }, "INVALID_REQUEST", { fields: ["user_id", "currency", "idempotency_key", 'metadata[""]'] }),
      rejects("ReverseHold", { user_id: "kim", hold_id: "0" }, "INVALID_REQUEST", { fields: ["hold_id"] }),
      rejects("HoldMoney", { user_id: "kim", amount: "1", hold_period: "0.0015s" }, "INVALID_REQUEST", { fields: ["hold_period"] }),
      rejects("GetWallet", {}, "INVALID_REQUEST", { fields: ["user_id"] }),
      rejects("GetHold", { user_id: "kim" }, "INVALID_REQUEST", { fields: ["hold_id"] }),
      rejects("GetOperation", { user_id: "kim" }, "INVALID_REQUEST", { fields: ["operation_id"] }),
      rejects("GetWalletBalance", { user_id: "kim", as_of_operation_id: "0" }, "INVALID_REQUEST", { fields: ["as_of_operation_id"] }),
      rejects("GetHoldReport", { user_id: " " }, "INVALID_REQUEST", { fields: ["user_id"] }),
      rejects("AddMoney", { user_id: "kim", amount: "1", idempotency_key: "one" }, "INVALID_REQUEST", { fields: ["idempotency_key"], headers: { "idempotency-key": "other" } }),
    ],
  },
  {
    name: "INVALID_AMOUNT, AMOUNT_TOO_PRECISE, AMOUNT_OUT_OF_RANGE",
    steps: [
      ...filled("lea", "USD", "1.00"),
      ...filled("leo", "JPY", "1"),
      ...["0.00", "-1", "1e2"].map((amount) => rejects("AddMoney", { user_id: "lea", amount }, "INVALID_AMOUNT", { fields: ["amount"] })),
      rejects("InitWallet", { user_id: "lea", currency: "EUR", balance_max: "much" }, "INVALID_AMOUNT", { fields: ["balance_max"] }),
      rejects("AddMoney", { user_id: "lea", amount: "0.001" }, "AMOUNT_TOO_PRECISE", { fields: ["amount"], metadata: { currency: "USD", decimals: "2" } }),
      rejects("HoldMoney", { user_id: "leo", amount: "0.5" }, "AMOUNT_TOO_PRECISE", { fields: ["amount"], metadata: { currency: "JPY", decimals: "0" } }),
      rejects("InitWallet", { user_id: "lea", currency: "EUR", balance_max: "0.001" }, "AMOUNT_TOO_PRECISE", { fields: ["balance_max"] }),
      rejects("AddMoney", { user_id: "lea", amount: "92233720368547758.08" }, "AMOUNT_OUT_OF_RANGE", { fields: ["amount"], metadata: { currency: "USD", maximum: most } }),
      rejects("HoldMoney", { user_id: "lea", amount: "9".repeat(64) }, "AMOUNT_OUT_OF_RANGE", { fields: ["amount"] }),
      rejects("InitWallet", { user_id: "lea", currency: "EUR", balance_max: "9".repeat(64) }, "AMOUNT_OUT_OF_RANGE", { fields: ["balance_max"] }),
      answers("GetWallet", { user_id: "lea" }, { wallet: { balance: { total: "1.00" }, version: "2" } }),
    ],
  },
  {
    name: "UNKNOWN_CURRENCY, CURRENCY_REQUIRED",
    steps: [
      ...filled("max", "USD", "1.00"),
      rejects("InitWallet", { user_id: "max", currency: "MOON" }, "UNKNOWN_CURRENCY", { fields: ["currency"], metadata: { currency: "MOON" } }),
      rejects("AddMoney", { user_id: "max", currency: "MOON", amount: "1" }, "UNKNOWN_CURRENCY", { fields: ["currency"] }),
      rejects("GetWalletBalance", { user_id: "max", currency: "MOON" }, "UNKNOWN_CURRENCY", { fields: ["currency"] }),
      ...filled("max", "EUR", "2.00"),
      rejects("AddMoney", { user_id: "max", amount: "1" }, "CURRENCY_REQUIRED", { fields: ["currency"], metadata: { user_id: "max", currencies: "EUR,USD" } }),
      rejects("HoldMoney", { user_id: "max", amount: "1" }, "CURRENCY_REQUIRED", { fields: ["currency"] }),
      rejects("GetWallet", { user_id: "max" }, "CURRENCY_REQUIRED", { fields: ["currency"] }),
      rejects("GetWalletBalance", { user_id: "max" }, "CURRENCY_REQUIRED", { fields: ["currency"] }),
    ],
  },
  {
    name: "IDEMPOTENCY_KEY_REUSED, by another amount, another method, another note",
    steps: [
      ...filled("nia", "USD", "1.00"),
      answers("AddMoney", { user_id: "nia", amount: "1", idempotency_key: "k" }, {}),
      rejects("AddMoney", { user_id: "nia", amount: "2", idempotency_key: "k" }, "IDEMPOTENCY_KEY_REUSED", { fields: ["idempotency_key"], metadata: { idempotency_key: "k" } }),
      rejects("HoldMoney", { user_id: "nia", amount: "1", idempotency_key: "k" }, "IDEMPOTENCY_KEY_REUSED", { fields: ["idempotency_key"] }),
      rejects("AddMoney", { user_id: "nia", amount: "1", idempotency_key: "k", reference: "r" }, "IDEMPOTENCY_KEY_REUSED", { fields: ["idempotency_key"] }),
      rejects("AddMoney", { user_id: "nia", amount: "1", currency: "USD" }, "IDEMPOTENCY_KEY_REUSED", { fields: ["idempotency_key"], headers: { "idempotency-key": "k" } }),
      answers("GetWallet", { user_id: "nia" }, { wallet: { balance: { total: "2.00" } } }),
    ],
  },
  {
    name: "WALLET_NOT_FOUND, WALLET_EXISTS",
    steps: [
      rejects("AddMoney", { user_id: "oda", amount: "1" }, "WALLET_NOT_FOUND", { metadata: { user_id: "oda" } }),
      rejects("HoldMoney", { user_id: "oda", amount: "1", currency: "EUR" }, "WALLET_NOT_FOUND", { metadata: { user_id: "oda", currency: "EUR" } }),
      rejects("GetWallet", { user_id: "oda" }, "WALLET_NOT_FOUND"),
      rejects("GetWalletBalance", { user_id: "oda", currency: "EUR" }, "WALLET_NOT_FOUND"),
      ...filled("oda", "USD", "1.00"),
      rejects("InitWallet", { user_id: "oda", currency: "USD" }, "WALLET_EXISTS", { metadata: { user_id: "oda", currency: "USD" } }),
    ],
  },
  {
    name: "HOLD_NOT_FOUND, HOLD_NOT_ACTIVE",
    steps: [
      ...filled("pia", "USD", "5.00"),
      answers("HoldMoney", { user_id: "pia", amount: "5" }, {}, { as: "held" }),
      rejects("GetHold", { user_id: "pia", hold_id: "9223372036854775807" }, "HOLD_NOT_FOUND", { metadata: { user_id: "pia", hold_id: "9223372036854775807" } }),
      rejects("ReverseHold", { user_id: "pia", hold_id: "999999" }, "HOLD_NOT_FOUND", { metadata: { user_id: "pia", hold_id: "999999" } }),
      rejects("GetHold", { user_id: "somebody", hold_id: "$held.hold.holdId" }, "HOLD_NOT_FOUND", { metadata: { hold_id: "$held.hold.holdId" } }),
      rejects("ReverseHold", { user_id: "somebody", hold_id: "$held.hold.holdId" }, "HOLD_NOT_FOUND"),
      answers("ReverseHold", { user_id: "pia", hold_id: "$held.hold.holdId" }, {}),
      rejects("ReverseHold", { user_id: "pia", hold_id: "$held.hold.holdId" }, "HOLD_NOT_ACTIVE", { metadata: { hold_id: "$held.hold.holdId", status: "REVERSED" } }),
    ],
  },
  {
    name: "OPERATION_NOT_FOUND",
    steps: [
      ...filled("quin", "USD", "5.00"),
      rejects("GetOperation", { operation_id: "9223372036854775807" }, "OPERATION_NOT_FOUND", { metadata: { operation_id: "9223372036854775807" } }),
      rejects("GetOperation", { user_id: "quin", idempotency_key: "never" }, "OPERATION_NOT_FOUND", { metadata: { user_id: "quin", idempotency_key: "never" } }),
      rejects("AddMoney", { user_id: "quin", amount: "1", related_operation_id: "999999" }, "OPERATION_NOT_FOUND", { metadata: { operation_id: "999999" } }),
      answers("GetWallet", { user_id: "quin" }, { wallet: { balance: { total: "5.00" } } }),
    ],
  },
  {
    name: "INSUFFICIENT_FUNDS, and a no stays a no under its key",
    steps: [
      ...filled("rob", "USD", "5.00"),
      rejects("HoldMoney", { user_id: "rob", amount: "5.01", idempotency_key: "late" }, "INSUFFICIENT_FUNDS", { metadata: { currency: "USD", available: "5.00", requested: "5.01" } }),
      answers("AddMoney", { user_id: "rob", amount: "5" }, {}),
      rejects("HoldMoney", { user_id: "rob", amount: "5.01", idempotency_key: "late" }, "INSUFFICIENT_FUNDS", { metadata: { available: "5.00", requested: "5.01", replayed: "true" } }),
      answers("GetOperation", { user_id: "rob", idempotency_key: "late" }, { rejection: { reason: "INSUFFICIENT_FUNDS", metadata: { available: "5.00", requested: "5.01" } } }, { without: ["operation"] }),
      answers("HoldMoney", { user_id: "rob", amount: "5.01", idempotency_key: "new" }, { wallet: { balance: { available: "4.99", held: "5.01" } } }),
    ],
  },
  {
    name: "BALANCE_LIMIT_EXCEEDED, by the wallet's own limit and by what 64 bits count",
    steps: [
      answers("InitWallet", { user_id: "sue", currency: "USD", balance_max: "10" }, { wallet: { balanceMax: "10.00" } }),
      answers("AddMoney", { user_id: "sue", amount: "10" }, { wallet: { balance: { total: "10.00" } } }),
      rejects("AddMoney", { user_id: "sue", amount: "0.01" }, "BALANCE_LIMIT_EXCEEDED", { metadata: { currency: "USD", total: "10.00", requested: "0.01", balance_max: "10.00" } }),
      ...filled("tom", "USD", most),
      rejects("AddMoney", { user_id: "tom", amount: "0.01" }, "BALANCE_LIMIT_EXCEEDED", { metadata: { total: most, balance_max: most } }),
      answers("HoldMoney", { user_id: "tom", amount: most }, { wallet: { balance: { available: "0.00", held: most, total: most } } }),
    ],
  },
  {
    name: "VERSION_MISMATCH, which is forgotten at once",
    steps: [
      ...filled("una", "USD", "5.00"),
      rejects("AddMoney", { user_id: "una", amount: "1", expected_version: "1", idempotency_key: "k" }, "VERSION_MISMATCH", { metadata: { expected_version: "1", actual_version: "2" } }),
      rejects("GetOperation", { user_id: "una", idempotency_key: "k" }, "OPERATION_NOT_FOUND"),
      answers("AddMoney", { user_id: "una", amount: "1", expected_version: "2", idempotency_key: "k" }, { wallet: { version: "3" }, replayed: false }),
    ],
  },
  {
    name: "MESSAGE_TOO_LARGE",
    steps: [
      ...filled("vic", "USD", "5.00"),
      rejects("AddMoney", { user_id: "vic", amount: "1", reference: tooLong }, "MESSAGE_TOO_LARGE", { metadata: { request_max_bytes: "1024" } }),
      rejects("ReleaseHolds", { user_id: tooLong }, "MESSAGE_TOO_LARGE"),
      rejects("GetWallet", { user_id: tooLong }, "MESSAGE_TOO_LARGE"),
      answers("GetWallet", { user_id: "vic" }, { wallet: { balance: { total: "5.00" } } }),
    ],
  },
  {
    name: "UNKNOWN_METHOD",
    steps: [
      rejects("StealMoney@WalletService", { user_id: "nobody" }, "UNKNOWN_METHOD"),
    ],
  },
  {
    name: "DEADLINE_EXCEEDED, where a call's time is over before it begins",
    steps: [
      ...filled("wim", "USD", "5.00"),
      rejects("AddMoney", { user_id: "wim", amount: "1" }, "DEADLINE_EXCEEDED", { isLate: true }),
      rejects("ReleaseHolds", {}, "DEADLINE_EXCEEDED", { isLate: true }),
      rejects("GetWallet", { user_id: "wim" }, "DEADLINE_EXCEEDED", { isLate: true }),
      rejects("GetWalletBalance", { user_id: "wim" }, "DEADLINE_EXCEEDED", { isLate: true }),
      answers("GetWallet", { user_id: "wim" }, { wallet: { balance: { total: "5.00" }, version: "2" } }),
    ],
  },
  {
    name: "OVERLOADED: what is refused has had no effect, and may be sent again",
    steps: [
      ...filled("xia", "USD", "5.00"),
      { flood: rejects("AddMoney", { user_id: "xia", amount: "1" }, "OVERLOADED"), times: 4 },
      answers("GetWallet", { user_id: "xia" }, { wallet: { balance: { total: "6.00" }, version: "3" } }),
      answers("AddMoney", { user_id: "xia", amount: "1" }, { wallet: { balance: { total: "7.00" } } }),
    ],
  },
];
