// How row 5 is told: what the large ledger does against the small one, and how rate and memory went while it grew.

import type { BatchReport } from "./batch-report.ts";
import type { Pair, Step } from "./growth-rows.ts";
import { decimals, ratiosOf, spreadText, whole, type Table } from "./measured.ts";
import type { Plot } from "./plots.ts";
import { spreadOf } from "./statistics.ts";

/** Rows of the table of the growth; the plot has all steps. */
const stepsTold = 5;

export interface Grown {
  readonly steps: readonly Step[];
  readonly pairs: readonly Pair[];
  readonly largeBytes: number;
  readonly smallWallets: number;
}

export function growthTables({ steps, pairs, largeBytes, smallWallets }: Grown): Table[] {
  const last = steps.at(-1)!;
  return [
    {
      title: `Row 5: after ${whole(last.operations)} operations`,
      columns: ["contender", "keys", "small ledger, operations/s", "large ledger, operations/s", "large of small", "writer µs/operation, small", "large"],
      rows: pairs.map(pairRow),
      notes: [
        `The large ledger has ${whole(last.wallets)} wallets and ${whole(last.operations)} operations, all of them with keys that are still remembered, written by the service itself over ExecuteBatch: ${whole(largeBytes / 1024 ** 2)} MiB. The small one has ${whole(smallWallets)} wallets just opened. ` +
          "Both are in processes of their own and take turns; batches of 1,000, 4 in flight.",
        "The bare rows were written into the same two files afterwards.",
      ],
    },
    {
      title: "Rows 5 and 10: while the ledger grows",
      columns: ["operations", "wallets", "operations/s", "CPU µs/operation", "resident MiB", "own MiB, without mapped files"],
      rows: told(steps).map(({ operations, wallets, report, memory }) => [
        whole(operations),
        whole(wallets),
        whole(report.operationsPerSecond),
        decimals(report.cpuUs, 1),
        whole(memory.residentMib),
        whole(memory.ownMib),
      ]),
      notes: [
        "The rate is that of the additions before each mark, with keys, 4 batches in flight; wallets are opened in between.",
        `Memory is what it was at that mark. The ledger grew in ${steps.length} steps, of which these are some; row 10 compares medians of neighbouring steps, so that its figures need not be in this table.`,
      ],
    },
  ];
}

function told(steps: readonly Step[]): Step[] {
  const every = Math.max(1, Math.floor(steps.length / stepsTold));
  return steps.filter((_, index) => (index + 1) % every === 0);
}

function pairRow({ contender, withKeys, small, large }: Pair): string[] {
  const rate = (report: BatchReport): number => report.operationsPerSecond;
  // The bare rows have no writer thread; what writes them is the main one.
  const writerUs = (report: BatchReport): number => (contender === "ExecuteBatch" ? report.writerThreadUs : report.mainThreadUs);
  return [
    contender,
    withKeys ? "on" : "off",
    spreadText(spreadOf(small.map(rate)), whole),
    spreadText(spreadOf(large.map(rate)), whole),
    spreadText(ratiosOf(large.map(rate), small.map(rate)), (value) => decimals(value, 2)),
    decimals(spreadOf(small.map(writerUs)).median, 1),
    decimals(spreadOf(large.map(writerUs)).median, 1),
  ];
}

export function growthPlots(steps: readonly Step[]): Plot[] {
  const last = steps.at(-1)!;
  return [
    {
      file: "rate-against-ledger-size.svg",
      title: "ExecuteBatch of 1,000 with keys, by how many operations the ledger has",
      xLabel: `operations in the ledger (and a fifth as many wallets)`,
      yLabel: "operations a second",
      xScale: "linear",
      xTicks: [0, ...told(steps).map(({ operations }) => operations)].filter((tick) => tick <= last.operations),
      series: [{ name: "ExecuteBatch, 4 in flight", points: steps.map(({ operations, report }) => ({ x: operations, y: report.operationsPerSecond })) }],
    },
  ];
}
