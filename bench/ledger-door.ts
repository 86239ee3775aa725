// A contender of row 4 in a process of its own: the queue and the writer thread without a network, or the bare rows. It takes orders from batch-rows.ts.

import type { ExecuteBatch, WalletCommand } from "../src/domain/command.ts";
import { parseDecimal } from "../src/domain/money.ts";
import type { CurrencyCode, UserId } from "../src/domain/wallet.ts";
import { openBareRows, type BareRows } from "./bare-rows.ts";
import { inLanes, reportOn, type BatchReport } from "./batch-report.ts";
import { openDoor, type Door } from "./filled-ledger.ts";
import { keyOf, userIdOf } from "./requests.ts";

export type DoorOrder =
  /** Opens a filled ledger. */
  | { readonly type: "open"; readonly contender: "door" | "bare"; readonly databasePath: string; readonly wallets: number }
  | { readonly type: "run"; readonly batches: number; readonly batchLength: number; readonly batchesAtATime: number; readonly withKeys: boolean };

let door: Door | undefined;
let bare: BareRows | undefined;
let wallets = 0;
let lastKey = 0;
const amount = parseDecimal("0.01")!;

async function obey(order: DoorOrder): Promise<BatchReport | undefined> {
  if (order.type === "open") {
    ({ wallets } = order);
    if (order.contender === "door") door = await openDoor(order.databasePath);
    else bare = openBareRows(order.databasePath, order.wallets);
    return undefined;
  }
  return door === undefined ? runBare(bare!, order) : runDoor(door, order);
}

type Run = Extract<DoorOrder, { type: "run" }>;

/** One batch after another, however many there may be at a time: whoever writes has nothing to wait for. */
function runBare(rows: BareRows, { batches, batchLength, withKeys }: Run): Promise<BatchReport> {
  return reportOn(process.pid, batches * batchLength, async () => {
    for (let batch = 0; batch < batches; batch++) rows.writeBatch(batchLength, withKeys);
  });
}

function runDoor(open: Door, { batches, batchLength, batchesAtATime, withKeys }: Run): Promise<BatchReport> {
  // Made up before the clock starts, as the load makes up its messages.
  const commands = Array.from({ length: batches }, (): ExecuteBatch => ({ type: "executeBatch", items: Array.from({ length: batchLength }, () => nextCommand(withKeys)), atomic: false }));
  return reportOn(process.pid, batches * batchLength, () =>
    inLanes(batches, batchesAtATime, async (index) => {
      const answer = await open.submit(commands[index]!);
      const isWhole = answer.type === "batch" && answer.results.length === batchLength;
      if (!isWhole || answer.results.some((result) => result.type !== "applied" || result.replayed)) throw new Error("an addition was not applied");
    }),
  );
}

function nextCommand(withKeys: boolean): WalletCommand {
  const userId = userIdOf(Math.floor(Math.random() * wallets)) as UserId;
  return {
    type: "addMoney",
    userId,
    currency: "USD" as CurrencyCode,
    amount,
    relatedOperationId: undefined,
    idempotencyKey: withKeys ? keyOf(++lastKey) : undefined,
    reference: "",
    metadata: {},
    expectedVersion: undefined,
    validateOnly: false,
  };
}

process.on("message", (order: DoorOrder) => {
  obey(order).then(
    (report) => process.send!({ report }),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
