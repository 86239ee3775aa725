// Row 3: durable unary calls over Connect with JSON, on HTTP/1.1 and on HTTP/2, against the barest server of Node's that parses and writes JSON.

import { callTable, contender, rateVerdict, takeTurns, type Contender } from "./call-contenders.ts";
import { filledLedger } from "./filled-ledger.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import type { Findings } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { startContender, startHelper, startWallet } from "./processes.ts";

const inFlight = 64;
const target = 0.6;

interface Version {
  readonly name: string;
  readonly add: Contender;
  readonly noOp: Contender;
  readonly hold: Contender;
}

export async function measureJson(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("row 3: starting the servers");
  const wallet = await startWallet(await filledLedger(plan.wallets));
  const [http1, http2] = [await startContender("json-no-op"), await startContender("json-no-op", "http2")];
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");
  const version = (name: string, protocol: "connect over HTTP/1.1" | "connect over HTTP/2", noOp: Contender): Version => ({
    name,
    add: contender(`wallet AddMoney, ${name}`, wallet, protocol, "AddMoney"),
    noOp,
    hold: contender(`wallet HoldMoney, ${name}`, wallet, protocol, "HoldMoney"),
  });
  const versions = [
    version("HTTP/1.1", "connect over HTTP/1.1", contender("no-op, bare node:http", http1, "connect over HTTP/1.1")),
    version("HTTP/2", "connect over HTTP/2", contender("no-op, bare node:http2", http2, "connect over HTTP/2")),
  ];

  for (let round = 1; round <= plan.rounds; round++) {
    say(`row 3: round ${round} of ${plan.rounds}`);
    for (const each of versions) await takeTurns(load, contendersOf(each), plan, inFlight);
  }
  load.stop();
  await Promise.all([wallet, http1, http2].map((server) => server.stop()));

  const notes = [
    `HTTP/1.1: ${inFlight} connections that stay, one call at a time on each. HTTP/2: one connection. The load writes both by hand and reads no more of the answers than where they end and how they begin.`,
    "The no-op is the same handler on node:http and on node:http2: it parses the body with JSON.parse and writes an answer of the same size with JSON.stringify.",
  ];
  return {
    verdicts: versions.flatMap(({ name, add, hold, noOp }) =>
      [add, hold].map((ours) => rateVerdict({ row: "3", way: `, Connect JSON over ${name}`, ours, inFlight, rival: noOp, target })),
    ),
    tables: [callTable(`Row 3: Connect JSON, ${inFlight} in flight`, versions.flatMap(contendersOf), notes)],
    causes: [{ row: "3", sentence: "JSON is read and written in place of protobuf; the rest of the way is that of row 1." }],
  };
}

function contendersOf({ add, noOp, hold }: Version): Contender[] {
  return [add, noOp, hold];
}
