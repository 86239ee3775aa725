// Row 4: a thousand operations at once through the ledger's own door, against the same rows written by bare better-sqlite3.
//
// ExecuteBatch is not served yet: this is the queue, the writer thread, the decisions and the store, without a network.

import { join } from "node:path";
import type { DoorOrder, DoorReport } from "./ledger-door.ts";
import { decimals, ratiosOf, spreadText, whole, type Findings, type Table, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startHelper } from "./processes.ts";
import { spreadOf } from "./statistics.ts";

const batchLength = 1_000;
/** With one batch at a time the writer thread waits for each to be made up and told; four keep it busy, as callers would. */
const batchesAtATime = 4;
const target = 0.7;
/** Speed.md asks for this rate where the bare loop does half as much again. */
const rateTarget = 100_000;
const bareRateForTarget = 150_000;

export async function measureBatches(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say(`row 4: filling two ledgers with ${whole(plan.wallets)} wallets`);
  const door = startHelper<DoorOrder, DoorReport>("bench/ledger-door.ts");
  const bare = startHelper<DoorOrder, DoorReport>("bench/ledger-door.ts");
  await door.ask({ type: "open", contender: "door", databasePath: join(newFolder(), "wallet.db"), wallets: plan.wallets });
  await bare.ask({ type: "open", contender: "bare", databasePath: join(newFolder(), "wallet.db"), wallets: plan.wallets });

  const order = (withKeys: boolean, atATime: number): DoorOrder => ({ type: "run", batches: plan.batchesARound, batchLength, batchesAtATime: atATime, withKeys });
  const kinds = [true, false].map((withKeys): Kind => ({ withKeys, many: [], one: [], bare: [] }));
  for (let round = 0; round <= plan.batchRounds; round++) {
    say(round === 0 ? "row 4: warming up" : `row 4: round ${round} of ${plan.batchRounds}`);
    for (const kind of kinds) {
      const reports = [await door.ask(order(kind.withKeys, batchesAtATime)), await bare.ask(order(kind.withKeys, 1)), await door.ask(order(kind.withKeys, 1))] as const;
      if (round === 0) continue;
      kind.many.push(reports[0]);
      kind.bare.push(reports[1]);
      kind.one.push(reports[2]);
    }
  }
  door.stop();
  bare.stop();

  const verdicts = kinds.flatMap(({ withKeys, many, one, bare: rows }) => {
    const keys = withKeys ? "keys on" : "keys off";
    return [
      verdict(`1,000 operations at once, ${batchesAtATime} times over, ${keys} (the ledger's door, not yet the RPC)`, many, rows),
      verdict(`1,000 operations at once, one after another, ${keys} (the ledger's door, not yet the RPC)`, one, rows),
    ];
  });
  return { verdicts, tables: [tableOf(kinds)] };
}

function verdict(what: string, ours: readonly DoorReport[], theirs: readonly DoorReport[]): Verdict {
  const [rates, bareRates] = [ours.map((report) => report.operationsPerSecond), theirs.map((report) => report.operationsPerSecond)];
  const ratio = ratiosOf(rates, bareRates);
  const [rate, bareRate] = [spreadOf(rates).median, spreadOf(bareRates).median];
  const isFastMachine = bareRate >= bareRateForTarget;
  return {
    row: "4",
    what,
    against: "the same rows by bare better-sqlite3",
    target: isFastMachine ? `≥ ${target} and ≥ ${whole(rateTarget)}/s` : `≥ ${target}`,
    figure: `${whole(rate)}/s against ${whole(bareRate)}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 2)),
    isMet: ratio.median >= target && (!isFastMachine || rate >= rateTarget),
  };
}

interface Kind {
  readonly withKeys: boolean;
  readonly many: DoorReport[];
  readonly one: DoorReport[];
  readonly bare: DoorReport[];
}

function tableOf(kinds: readonly Kind[]): Table {
  return {
    title: "Row 4: 1,000 operations at once",
    columns: ["contender", "keys", "operations/s", "CPU µs/operation"],
    rows: kinds.flatMap(({ withKeys, many, one, bare }) => [
      tableRow(`the ledger's door, ${batchesAtATime} at a time`, withKeys, many),
      tableRow("the ledger's door, one at a time", withKeys, one),
      tableRow("bare better-sqlite3", withKeys, bare),
    ]),
    notes: [
      "ExecuteBatch is not served yet: this is the queue, the writer thread, the decisions and the store, without a network.",
      "The bare rows are written without reading, deciding, checking or hashing; the ledger reads each wallet and key first and seals each record with SHA-256.",
    ],
  };
}

function tableRow(name: string, withKeys: boolean, reports: readonly DoorReport[]): string[] {
  return [
    name,
    withKeys ? "on" : "off",
    spreadText(spreadOf(reports.map((report) => report.operationsPerSecond)), whole),
    decimals(spreadOf(reports.map((report) => report.cpuUs)).median, 1),
  ];
}
