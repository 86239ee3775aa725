// Planted bugs in what is remembered: idempotency keys, batches, commits, the clock and the history.

import { contract, model, unit, type Mutant } from "./mutant.ts";

const keys: readonly Mutant[] = [
  {
    bug: "a key is looked up outside the transaction: the same key twice in one batch moves money twice",
    file: "src/domain/ledger-state.ts",
    replace: "return this.#keys.get(keyHash);",
    by: "return [...this.#partitions.values()].some(({ changed }) => changed.keyHashes.has(keyHash)) ? undefined : this.#keys.get(keyHash);",
    caughtBy: unit("peers-money-bugs", "idempotency"),
    isShort: true,
  },
  {
    bug: "a key is remembered although nothing was applied",
    file: "src/domain/decide-once.ts",
    replace: "const isKept = !command.validateOnly && (",
    by: "const isKept = (",
    caughtBy: unit("preconditions"),
  },
  {
    bug: "a key is not remembered for a rejection",
    file: "src/domain/decide-once.ts",
    replace: '(first.type === "applied" || isRemembered[first.rejection.reason])',
    by: 'first.type === "applied"',
    caughtBy: unit("idempotency", "withdraw-money"),
  },
  {
    bug: "a replay is recomputed from the live balance",
    file: "src/domain/decide-once.ts",
    replace: "return applied({ record, wallet, receiver:",
    by: `const { availableMinor, heldMinor } = wallet;
  return applied({ record: { ...record, after: { ...record.after, availableMinor, heldMinor } }, wallet, receiver:`,
    caughtBy: unit("idempotency", "withdraw-money"),
    isShort: true,
  },
  {
    bug: "another request under the same key is answered as the first",
    file: "src/domain/decide-once.ts",
    replace: "if (known.fingerprint === print) return replay(",
    by: "if (known.fingerprint !== print || print !== undefined) return replay(",
    caughtBy: unit("idempotency", "transfer-money"),
  },
  {
    bug: "a key beyond its retention is replayed",
    file: "src/domain/decide-once.ts",
    replace: "known !== undefined && known.timeMs > state.nowMs - idempotencyRetentionMs",
    by: "known !== undefined && known.timeMs + idempotencyRetentionMs >= 0",
    caughtBy: unit("idempotency"),
  },
  {
    bug: "a key is replayed a millisecond too long",
    file: "src/domain/decide-once.ts",
    replace: "known.timeMs > state.nowMs - idempotencyRetentionMs",
    by: "known.timeMs >= state.nowMs - idempotencyRetentionMs",
    caughtBy: unit("idempotency"),
  },
  {
    bug: "one user's key answers another's request",
    file: "src/domain/idempotency.ts",
    replace: "shortHash(`${userId}\\0${idempotencyKey}`)",
    by: "shortHash(`${userId.slice(0, 0)}\\0${idempotencyKey}`)",
    caughtBy: unit("idempotency"),
  },
  {
    bug: "young keys are forgotten with the old",
    file: "src/store/sqlite/keys/key-rows.ts",
    replace: '.where("time_ms", "<", arg("beforeMs"))',
    by: '.where("time_ms", "<>", arg("beforeMs"))',
    caughtBy: contract("store-keeping"),
  },
  {
    bug: "a key that is in a run is not found",
    file: "src/store/sqlite/keys/key-entries.ts",
    replace: "if (order < 0) first = middle + 1;",
    by: "if (order < 0) first = middle + 2;",
    caughtBy: ["test/unit/keys/key-entries.test.ts", ...contract("sqlite-key-index")],
  },
  {
    bug: "keys that were merged are written without their filter's last part",
    file: "src/store/sqlite/keys/run-writer.ts",
    replace: "this.#writeFilter(this.filter.blocks + blocksPerRow);",
    by: "this.#writeFilter(this.filter.blocks);",
    caughtBy: contract("sqlite-key-index"),
  },
  {
    bug: "keys of a transaction that failed are taken for remembered",
    file: "src/store/sqlite/sqlite-store.ts",
    replace: "if (hasWritten) this.#keyIndexes.forget();",
    by: "",
    caughtBy: contract("store"),
  },
  {
    bug: "rows that are inserted together have only the columns that the first of them has",
    file: "src/store/sqlite/row-insert.ts",
    replace: "for (let at = from; at < end; at++) {",
    by: "for (let at = from; at < Math.min(end, from + 1); at++) {",
    caughtBy: contract("sqlite-row-insert"),
  },
  {
    bug: "a request is recognised by the fields that another one of its type had",
    file: "src/domain/idempotency.ts",
    replace: "known !== undefined && hasFields(command, known.names)",
    by: "known !== undefined && hasFields(command, Object.keys(command))",
    caughtBy: unit("fingerprint"),
  },
  {
    bug: "an atomic batch that failed leaves something behind",
    file: "src/domain/execute-batch.ts",
    replace: "        return false;\n      }\n    }\n    return true;",
    by: "        return true;\n      }\n    }\n    return true;",
    caughtBy: [...unit("execute-batch"), ...contract("store")],
  },
  {
    bug: "an atomic batch that failed is written although it was undone",
    file: "src/domain/ledger-state.ts",
    replace: "partition.changed.records.length = records;",
    by: "void records;",
    caughtBy: unit("execute-batch"),
  },
];

const keeping: readonly Mutant[] = [
  {
    bug: "commits are not synced: SQLite's synchronous is NORMAL",
    file: "src/store/sqlite/connection.ts",
    replace: '"synchronous", "FULL", 2',
    by: '"synchronous", "NORMAL", 1',
    caughtBy: contract("sqlite-file"),
  },
  {
    bug: "a commit that failed is answered as done",
    file: "src/store/sqlite/sqlite-store.ts",
    replace: "      this.#commit.run();\n",
    by: "      try {\n        this.#commit.run();\n      } catch {\n        this.#abandon();\n      }\n",
    caughtBy: contract("sqlite-commit"),
  },
  {
    bug: "a commit that failed is said to have surely done nothing",
    file: "src/store/sqlite/fault.ts",
    replace: 'if (phase === "committing" && !isOneOf(beforeCommit)) return fault("unknown");',
    by: 'if (phase === "committing") return fault("unavailable");',
    caughtBy: contract("sqlite-commit"),
  },
  {
    bug: "what nobody knows the outcome of is tried again",
    file: "src/ledger/command-queue.ts",
    replace: "if (error instanceof StoreFault || batch.length === 1)",
    by: "if (batch.length === 1)",
    caughtBy: ["test/unit/ledger/command-queue.test.ts"],
  },
  {
    bug: "the ledger's clock goes back with the machine's",
    file: "src/store/sqlite/load.ts",
    replace: "Math.max(last, timeMs), machineTimeMs)",
    by: "last, machineTimeMs)",
    caughtBy: [...contract("store"), ...model],
  },
  {
    bug: "a history's mark is one record off",
    file: "src/store/history-marks.ts",
    replace: "after.version % recordsPerMark === 0n",
    by: "after.version % recordsPerMark === 1n",
    caughtBy: contract("store-history"),
  },
  {
    bug: "a receiver's history has no marks",
    file: "src/store/history-marks.ts",
    replace: "partsHere(record)",
    by: "[record]",
    caughtBy: contract("store-history"),
  },
  {
    bug: "a balance as of a time leaves out that millisecond",
    file: "src/store/sqlite/history.ts",
    replace: "time_ms <= BigInt(timeMs)) before = middle;",
    by: "time_ms < BigInt(timeMs)) before = middle;",
    caughtBy: contract("store-history"),
  },
  {
    bug: "the journal's seals do not cover what went before",
    file: "src/domain/canonical.ts",
    replace: "scratch.begin(previousHash)",
    by: "scratch.begin(previousHash.slice(0, 0))",
    caughtBy: unit("canonical"),
  },
];

export const keepingMutants: readonly Mutant[] = [...keys, ...keeping];
