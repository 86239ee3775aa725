// Contenders that take batches: the service over gRPC, the ledger without a network, and the bare rows, each on a ledger of its own.

import type { BatchLoadOrder } from "./batch-load.ts";
import type { BatchReport } from "./batch-report.ts";
import type { DoorOrder } from "./ledger-door.ts";
import { placeOf, startHelper, startWallet, type Helper, type Server } from "./processes.ts";
import type { BatchContent } from "./requests.ts";

/** What a turn consists of. */
export interface BatchTurn {
  readonly batches: number;
  readonly batchLength: number;
  /** Batches in flight; the bare rows are written one after another all the same. */
  readonly inFlight: number;
  readonly withKeys: boolean;
}

export interface BatchContender {
  run(turn: BatchTurn): Promise<BatchReport>;
  stop(): Promise<void>;
}

export interface BatchService extends BatchContender {
  readonly server: Server;
  /** The number of wallets may grow meanwhile. */
  runOn(wallets: number, content: BatchContent, turn: BatchTurn): Promise<BatchReport>;
}

/** The real process on this ledger, and a load of its own. */
export async function startBatchService(databasePath: string, wallets: number): Promise<BatchService> {
  const server = await startWallet(databasePath);
  const load = startHelper<BatchLoadOrder, BatchReport>("bench/batch-load.ts");
  const runOn: BatchService["runOn"] = (among, content, turn) => load.ask({ servers: [placeOf(server)], wallets: among, content, ...turn });
  return {
    server,
    runOn,
    run: (turn) => runOn(wallets, { type: "additions" }, turn),
    async stop() {
      load.stop();
      await server.stop();
    },
  };
}

/** A process with this ledger: without a network, or only with the rows. */
export async function startDoor(contender: "door" | "bare", databasePath: string, wallets: number): Promise<BatchContender & { readonly helper: Helper<DoorOrder, BatchReport> }> {
  const helper = startHelper<DoorOrder, BatchReport>("bench/ledger-door.ts");
  await helper.ask({ type: "open", contender, databasePath, wallets });
  return {
    helper,
    run: ({ batches, batchLength, inFlight, withKeys }) => helper.ask({ type: "run", commandType: "batch", batches, batchLength, batchesAtATime: inFlight, withKeys }),
    async stop() {
      helper.stop();
    },
  };
}
