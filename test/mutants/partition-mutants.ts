// Planted bugs in what lies in two partitions: records, counters, heads, and who is told.

import { contract, unit, type Mutant } from "./mutant.ts";

export const partitionMutants: readonly Mutant[] = [
  {
    bug: "a receiver in another partition has no record there",
    file: "src/domain/ledger-state.ts",
    replace: "if (receivers !== undefined) this.#append(receivers);",
    by: "",
    caughtBy: [...unit("apart"), ...contract("store-partitions")],
    isShort: true,
  },
  {
    bug: "what a receiver was paid is counted in the payer's partition",
    file: "src/domain/ledger-state.ts",
    replace: "this.#change(effect.receiver.wallet, receivers ?? record, record.receiver!.after",
    by: "this.#change(effect.receiver.wallet, { ...(receivers ?? record), partition: record.partition }, record.receiver!.after",
    caughtBy: unit("apart"),
  },
  {
    bug: "a receiver's record is chained to the payer's head",
    file: "src/domain/ledger-state.ts",
    replace: "receivers: sealed(receiverHead, told)",
    by: "receivers: sealed(head, told)",
    caughtBy: [...unit("apart"), ...contract("store-partitions")],
  },
  {
    bug: "a watcher of everybody is told an operation between partitions twice",
    file: "src/ledger/ledger-feed.ts",
    replace: 'if (userId === undefined && value.operation?.record.apart?.side === "RECEIVER") continue;',
    by: "",
    caughtBy: ["test/unit/ledger/ledger-feed.test.ts"],
    isShort: true,
  },
  {
    bug: "a hold is overdue by the clock of another partition",
    file: "src/store/sqlite/sqlite-reads.ts",
    replace: "Math.max(clock(), headOf(partition).timeMs)",
    by: "partitionsFor(undefined).reduce((last, each) => Math.max(last, headOf(each).timeMs), clock())",
    caughtBy: contract("store-partitions"),
  },
  {
    bug: "the next partition releases as many holds again",
    file: "src/ledger/release-everywhere.ts",
    replace: "const max = releaseHoldsMax - released.count;",
    by: "const max = releaseHoldsMax;",
    caughtBy: ["test/unit/ledger/release-everywhere.test.ts"],
  },
  {
    bug: "a lost COMMIT counts as done where another server has written the very same",
    file: "src/store/postgres/settle.ts",
    replace: " && row.nonce === nonce",
    by: "",
    caughtBy: contract("postgres-faults"),
  },
  {
    bug: "a batch that is decided ahead forgets what the one before did to wallets",
    file: "src/store/postgres/ahead.ts",
    replace: "if (wallets.has(wallet.walletId)) wallets.set(wallet.walletId, wallet);\n    else if (users.has(wallet.userId)) return undefined;",
    by: "if (!wallets.has(wallet.walletId) && users.has(wallet.userId)) return undefined;",
    caughtBy: contract("postgres-ahead"),
    isShort: true,
  },
  {
    bug: "a batch that is decided ahead forgets what the one before did to holds",
    file: "src/store/postgres/ahead.ts",
    replace: "if (holds.has(hold.holdId)) holds.set(hold.holdId, hold);",
    by: "if (holds.has(hold.holdId)) continue;",
    caughtBy: contract("postgres-ahead"),
  },
  {
    bug: "a batch that is decided ahead does not look at the keys of the one before",
    file: "src/store/postgres/ahead.ts",
    replace: "if (changes.keys.some(({ keyHash }) => keys.has(keyHash))) return undefined;",
    by: "",
    caughtBy: contract("postgres-ahead"),
  },
  {
    bug: "a batch that is decided ahead forgets what the one before counted",
    file: "src/store/postgres/ahead.ts",
    replace: "for (const each of changes.currencyTotals) totals.set(denominationKey(each), each);",
    by: "",
    caughtBy: contract("postgres-ahead"),
  },
  {
    bug: "what was decided ahead is written wherever the heads are",
    file: "src/store/postgres/postgres-store.ts",
    replace: "if (heads.every((head, index) => head !== undefined && isSameHead(head, ahead.heads[index]!))) return ahead;",
    by: "if (heads.every((head) => head !== undefined)) return ahead;",
    caughtBy: contract("postgres-ahead"),
    isShort: true,
  },
];
