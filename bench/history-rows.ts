// Row 6: reports, a balance as of a time and a page of history, in wallets with few, many and very many operations.

import { rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import type { Wallet } from "../src/domain/wallet.ts";
import { openSqliteReads } from "../src/store/sqlite/sqlite-reads.ts";
import { writtenQueries } from "../src/store/sqlite/written-queries.ts";
import type { Reads } from "../src/store/store.ts";
import { writeLongHistory, type LongHistory } from "./long-history.ts";
import { decimals, ratiosOf, spreadText, whole, type Findings, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startWallet, type Server } from "./processes.ts";
import { userIdOf } from "./requests.ts";
import { spreadOf } from "./statistics.ts";

const ratioTarget = 2;

/** As few as the shortest history has from its middle on, so that all pages are equally long. */
const pageSize = 5;

interface Contender {
  readonly history: LongHistory;
  readonly folder: string;
  readonly server: Server;
  readonly reads: Reads;
  readonly wallet: Wallet;
}

/** What is asked, at a random time of the history: over the wire, and of the store alone. */
interface Question {
  readonly name: string;
  readonly path: string;
  request(timeMs: number): object;
  read(contender: Contender, timeMs: number): Promise<unknown>;
}

const userId = userIdOf(0);
const anyOperation = { startTimeMs: undefined, kind: undefined, reference: undefined, continueAt: undefined, lookedAtMax: 1_000, notesMaxBytes: 1_000_000 };

const questions: readonly Question[] = [
  {
    name: "report of operations",
    path: "/wallet.v1.ReportService/GetWalletOperationReport",
    request: () => ({ userId }),
    read: ({ reads }) => reads.totals({ userId: userId as never, currency: undefined }),
  },
  {
    name: "balance as of a time",
    path: "/wallet.v1.ReportService/GetWalletBalance",
    request: (timeMs) => ({ userId, asOfTime: new Date(timeMs).toISOString() }),
    read: ({ reads, wallet }, timeMs) => reads.walletAsOf(wallet, { timeMs }),
  },
  {
    name: `page of ${pageSize} operations before a time`,
    path: "/wallet.v1.WalletService/ListOperations",
    request: (timeMs) => ({ userId, pageSize, endTime: new Date(timeMs).toISOString() }),
    read: ({ reads, wallet }, endTimeMs) => reads.operations({ ...anyOperation, wallet, endTimeMs, max: pageSize }),
  },
];

export async function measureHistory(plan: Plan, say: (line: string) => void): Promise<Findings> {
  const contenders: Contender[] = [];
  for (const operations of plan.historyLengths) {
    say(`row 6: a wallet with ${whole(operations)} operations`);
    contenders.push(await openContender(operations));
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const verdicts: Verdict[] = [];
  const rows: string[][] = [];
  try {
    for (const question of questions) {
      const ask = (each: Contender): Promise<void> => call(agent, each.server.port, question, question.request(randomTime(each.history)));
      const read = (each: Contender): Promise<unknown> => question.read(each, randomTime(each.history));
      const overTheWire = await inTurns(contenders, plan, ask);
      const inTheStore = await inTurns(contenders, plan, read);
      for (const [index, { history }] of contenders.entries()) {
        const [wire, store] = [spreadOf(overTheWire[index]!), spreadOf(inTheStore[index]!)];
        rows.push([question.name, whole(history.operations), spreadText(wire, (us) => whole(us)), spreadText(store, (us) => decimals(us, 1))]);
        if (index === 0) continue;
        const ratio = ratiosOf(overTheWire[index]!, overTheWire[0]!);
        verdicts.push({
          row: "6",
          what: `${question.name}, ${whole(history.operations)} operations in the wallet`,
          against: `${whole(contenders[0]!.history.operations)} operations`,
          target: `≤ ${ratioTarget}`,
          figure: `${whole(wire.median)} µs`,
          ratio: spreadText(ratio, (value) => decimals(value, 2)),
          isMet: ratio.median <= ratioTarget,
        });
      }
    }
  } finally {
    agent.destroy();
    for (const { server, reads, folder } of contenders) {
      await reads.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const title = "Row 6: looking back";
  const columns = ["question", "operations in the wallet", "µs a call, over the wire", "µs of that in the store"];
  const notes = [
    "One call after another over Connect JSON and HTTP/1.1, at random times of the history; medians of a round, and their spread over the rounds. The histories were written straight into the tables just before, so the files are in the system's page cache.",
  ];
  return { verdicts, tables: [{ title, columns, rows, notes }] };
}

async function openContender(operations: number): Promise<Contender> {
  const folder = newFolder();
  const path = join(folder, "wallet.db");
  const history = await writeLongHistory(path, operations);
  const server = await startWallet(path);
  const reads = openSqliteReads(path, Date.now, writtenQueries);
  const [wallet] = await reads.wallets(userId as never, undefined);
  return { history, folder, server, reads, wallet: wallet! };
}

/** The median of each round in microseconds, for each contender; they take turns, so that a machine that drifts drifts for all. */
async function inTurns(contenders: readonly Contender[], plan: Plan, work: (contender: Contender) => Promise<unknown>): Promise<number[][]> {
  const medians = contenders.map((): number[] => []);
  for (let round = -1; round < plan.rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const times: number[] = [];
      for (let done = 0; done < plan.historyCalls; done++) {
        const startMs = performance.now();
        await work(contender);
        times.push((performance.now() - startMs) * 1_000);
      }
      // The first round only warms up.
      if (round >= 0) medians[index]!.push(spreadOf(times).median);
    }
  }
  return medians;
}

/** Somewhere in the later half, where every history has a page before it. */
function randomTime({ operations, endTimeMs }: LongHistory): number {
  return endTimeMs - Math.floor((Math.random() * operations) / 2) + 1;
}

function call(agent: Agent, port: number, { path }: Question, request: object): Promise<void> {
  const body = JSON.stringify(request);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port, path, method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) } }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${path} was answered with ${response.statusCode}`))));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
