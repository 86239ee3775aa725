// Planted bugs in how money moves: funds, limits, transfers and holds.

import { contract, model, unit, type Mutant } from "./mutant.ts";

const funds: readonly Mutant[] = [
  {
    bug: "a withdrawal takes more than is there",
    file: "src/domain/decide/withdraw-money.ts",
    replace: "mayNotSpend(wallet) ?? insufficientFunds(wallet, amountMinor)",
    by: "mayNotSpend(wallet)",
    caughtBy: unit("withdraw-money", "peers-money-bugs"),
    isShort: true,
  },
  {
    bug: "held money counts as available",
    file: "src/domain/decide/insufficient-funds.ts",
    replace: "amountMinor <= wallet.availableMinor)",
    by: "amountMinor <= wallet.availableMinor + wallet.heldMinor)",
    caughtBy: unit("hold-money", "withdraw-money", "transfer-money"),
  },
  {
    bug: "the last minor unit cannot be spent",
    file: "src/domain/decide/insufficient-funds.ts",
    replace: "amountMinor <= wallet.availableMinor)",
    by: "amountMinor < wallet.availableMinor)",
    caughtBy: unit("hold-money", "withdraw-money", "transfer-money"),
  },
  {
    bug: "a limit is off by one minor unit",
    file: "src/domain/wallet.ts",
    replace: "return totalMinor(wallet) + incomingMinor > totalMaxMinor(wallet);",
    by: "return totalMinor(wallet) + incomingMinor >= totalMaxMinor(wallet);",
    caughtBy: unit("add-money", "transfer-money"),
  },
  {
    bug: "held money does not count against the limit",
    file: "src/domain/wallet.ts",
    replace: "return totalMinor(wallet) + incomingMinor > totalMaxMinor(wallet);",
    by: "return wallet.availableMinor + incomingMinor > totalMaxMinor(wallet);",
    caughtBy: unit("add-money", "transfer-money"),
  },
  {
    bug: "an amount with too many decimals is cut",
    file: "src/domain/money.ts",
    replace: "if (decimal.scale > exponent) return undefined;",
    by: "if (decimal.scale > exponent) return decimal.unscaled / 10n ** BigInt(decimal.scale - exponent);",
    caughtBy: unit("money", "add-money", "transfer-money"),
  },
  {
    bug: "a frozen wallet spends",
    file: "src/domain/decide/wallet-state.ts",
    replace: 'if (state === "FROZEN") return { reason: "WALLET_FROZEN", userId, currency };',
    by: "",
    caughtBy: unit("hold-money", "withdraw-money", "transfer-money", "capture-hold"),
  },
  {
    bug: "a closed wallet takes money",
    file: "src/domain/decide/add-money.ts",
    replace: "const forbidden = mayNotChange(wallet);",
    by: "const forbidden: ReturnType<typeof mayNotChange> = undefined;",
    caughtBy: unit("add-money"),
  },
  {
    bug: "a wallet is closed with held money in it",
    file: "src/domain/decide/change-wallet-state.ts",
    replace: "totalMinor(wallet) > 0n",
    by: "wallet.availableMinor > 0n",
    caughtBy: unit("change-wallet-state"),
  },
];

const transfers: readonly Mutant[] = [
  {
    bug: "a transfer is half done: nothing arrives",
    file: "src/domain/decide/receiver.ts",
    replace: "wallet: credited(wallet, incoming.minor)",
    by: "wallet",
    caughtBy: unit("transfer-money", "capture-hold"),
    isShort: true,
  },
  {
    bug: "a transfer arrives twice",
    file: "src/domain/decide/receiver.ts",
    replace: "wallet: credited(wallet, incoming.minor)",
    by: "wallet: credited(credited(wallet, incoming.minor), incoming.minor)",
    caughtBy: unit("transfer-money", "capture-hold"),
  },
  {
    bug: "a transfer is half done: the payer keeps the money",
    file: "src/domain/decide/transfer-money.ts",
    replace: "wallet: debited(wallet, amountMinor)",
    by: "wallet: debited(wallet, 0n)",
    caughtBy: unit("transfer-money"),
  },
  {
    bug: "one who pays himself makes money",
    file: "src/domain/decide/transfer-money.ts",
    replace: 'if (toUserId === userId) return rejected({ reason: "SAME_WALLET", userId });',
    by: "",
    caughtBy: unit("transfer-money"),
  },
  {
    bug: "a receiver's wallet grows beyond its limit and 64 bits",
    file: "src/domain/decide/receiver.ts",
    replace: "if (isOverLimit(wallet, incoming.minor))",
    by: "if (isOverLimit(wallet, 0n))",
    caughtBy: unit("transfer-money"),
  },
  {
    bug: "a closed wallet receives",
    file: "src/domain/decide/receiver.ts",
    replace: "const closed = mayNotChange(wallet);",
    by: "const closed: ReturnType<typeof mayNotChange> = undefined;",
    caughtBy: unit("transfer-money"),
  },
  {
    bug: "a receiver is credited in the payer's minor units",
    file: "src/domain/decide/receiver.ts",
    replace: 'amountIn(wallet, amount, "amount")',
    by: 'amountIn(payer, amount, "amount")',
    caughtBy: unit("transfer-money"),
  },
  {
    bug: "a receiver's version stands still",
    file: "src/domain/ledger-state.ts",
    replace: "receiver: receiver && { ...partIn(receiver.wallet), amountMinor: receiver.amountMinor },",
    by: "receiver: receiver && { ...partIn({ ...receiver.wallet, version: receiver.wallet.version - 1n }), amountMinor: receiver.amountMinor },",
    caughtBy: [...unit("transfer-money"), ...model],
  },
  {
    bug: "a receiver's history goes on from the payer's",
    file: "src/domain/ledger-state.ts",
    replace: "receiver: receiver && { ...partIn(receiver.wallet), amountMinor: receiver.amountMinor },",
    by: "receiver: receiver && { ...partIn(receiver.wallet), previousSequence: wallet.headSequence, amountMinor: receiver.amountMinor },",
    caughtBy: [...unit("journal"), ...model],
  },
  {
    bug: "a receiver's counters take the payer's amount",
    file: "src/domain/ledger-state.ts",
    replace: "countsOfReceiver(effect.receiver.amountMinor)",
    by: "countsOfReceiver(effect.amountMinor)",
    caughtBy: unit("transfer-money"),
  },
];

const holds: readonly Mutant[] = [
  {
    bug: "a hold's period is a millisecond too long",
    file: "src/domain/decide/hold-money.ts",
    replace: "state.nowMs + (command.holdPeriodMs ?? rules.holdPeriodMs)",
    by: "state.nowMs + (command.holdPeriodMs ?? rules.holdPeriodMs) + 1",
    caughtBy: [...unit("hold-money", "release-holds"), ...contract("store")],
    isShort: true,
  },
  {
    bug: "a release misses the holds whose period ends at this millisecond",
    file: "src/store/sqlite/eligible-holds.ts",
    replace: `.where("currency", "=", arg("currency"))
      .where("status", "=", active)
      .where("eligible_time_ms", "<=", arg("nowMs"))`,
    by: `.where("currency", "=", arg("currency"))
      .where("status", "=", active)
      .where("eligible_time_ms", "<", arg("nowMs"))`,
    caughtBy: [...contract("store"), ...model],
  },
  {
    bug: "a released hold is released again",
    file: "src/store/sqlite/write.ts",
    replace: "doUpdateSet(excluded(changingHoldColumns))",
    by: 'doUpdateSet(excluded(["captured_minor", "eligible_time_ms"]))',
    caughtBy: contract("store"),
    isShort: true,
  },
  {
    bug: "a released hold is reversed or captured",
    file: "src/domain/decide/own-hold.ts",
    replace: 'return status === "ACTIVE" ?',
    by: 'return status === "ACTIVE" || status === "RELEASED" ?',
    caughtBy: unit("reverse-hold", "capture-hold", "extend-hold"),
  },
  {
    bug: "a hold is resolved twice in one batch",
    file: "src/domain/ledger-state.ts",
    replace: "return this.#holds.get(holdId);",
    by: 'const hold = this.#holds.get(holdId);\n    return hold && this.#changed.holdIds.has(holdId) ? { ...hold, status: "ACTIVE", resolveTimeMs: undefined } : hold;',
    caughtBy: unit("reverse-hold", "capture-hold"),
  },
  {
    bug: "somebody else's hold can be taken",
    file: "src/domain/decide/own-hold.ts",
    replace: "if (hold === undefined || wallet?.userId !== userId)",
    by: "if (hold === undefined || wallet === undefined)",
    caughtBy: unit("reverse-hold", "capture-hold", "extend-hold"),
  },
  {
    bug: "captures take more than remains of a hold",
    file: "src/domain/decide/capture-hold.ts",
    replace: "if (amountMinor > remaining) {",
    by: "if (amountMinor > hold.amountMinor) {",
    caughtBy: unit("capture-hold"),
  },
  {
    bug: "a final capture loses the rest",
    file: "src/domain/decide/capture-hold.ts",
    replace: "reserved(spent(wallet, amountMinor), -returnedMinor(holdAfter))",
    by: "spent(wallet, amountMinor + returnedMinor(holdAfter))",
    caughtBy: unit("capture-hold"),
  },
  {
    bug: "a final capture leaves the rest held for ever",
    file: "src/domain/decide/capture-hold.ts",
    replace: "reserved(spent(wallet, amountMinor), -returnedMinor(holdAfter))",
    by: "reserved(spent(wallet, amountMinor), -returnedMinor(hold))",
    caughtBy: unit("capture-hold"),
  },
  {
    bug: "a reversal gives captured money back, too",
    file: "src/domain/decide/reverse-hold.ts",
    replace: "const amountMinor = remainingMinor(hold);",
    by: "const amountMinor = hold.amountMinor + 0n * remainingMinor(hold);",
    caughtBy: unit("reverse-hold"),
  },
  {
    bug: "a release gives captured money back, too",
    file: "src/domain/decide/release-holds.ts",
    replace: "const amountMinor = remainingMinor(hold);",
    by: "const amountMinor = hold.amountMinor + 0n * remainingMinor(hold);",
    caughtBy: unit("release-holds"),
  },
  {
    bug: "captures are not counted",
    file: "src/domain/counts.ts",
    replace: '[["captures", amountMinor], ...countsOfCapturedHold(hold!)]',
    by: "[...countsOfCapturedHold(hold!)]",
    caughtBy: unit("totals", "capture-hold"),
  },
  {
    bug: "automatic release skips those who receive",
    file: "src/store/sqlite/load.ts",
    replace: "eligible(partition, touched.eligibleHolds, nowMs, wallets.keys())",
    by: "eligible(partition, touched.eligibleHolds, nowMs, [...wallets.keys()].slice(0, 1))",
    caughtBy: contract("store"),
  },
  {
    bug: "automatic release stops at its first step",
    file: "src/domain/batch.ts",
    replace: "if (moreRemain) return",
    by: "if (moreRemain && commands.length === 0) return",
    caughtBy: unit("auto-release"),
  },
];

export const moneyMutants: readonly Mutant[] = [...funds, ...transfers, ...holds];
