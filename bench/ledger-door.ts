// One contender of row 4 in a process of its own: the ledger's door, or the bare rows. It takes orders from batch-rows.ts.

import type { Command } from "../src/domain/command.ts";
import { parseDecimal } from "../src/domain/money.ts";
import type { CurrencyCode, UserId } from "../src/domain/wallet.ts";
import { openBareRows, type BareRows } from "./bare-rows.ts";
import { fillLedger, openDoor, type Door } from "./filled-ledger.ts";
import { userIdOf } from "./requests.ts";

export type DoorOrder =
  | { readonly type: "open"; readonly contender: "door" | "bare"; readonly databasePath: string; readonly wallets: number }
  | { readonly type: "run"; readonly batches: number; readonly batchLength: number; readonly batchesAtATime: number; readonly withKeys: boolean };

export interface DoorReport {
  readonly operationsPerSecond: number;
  /** Processor time of the whole process, in microseconds an operation. */
  readonly cpuUs: number;
}

let door: Door | undefined;
let bare: BareRows | undefined;
let wallets = 0;
let lastKey = 0;
const amount = parseDecimal("0.01")!;

async function obey(order: DoorOrder): Promise<DoorReport> {
  if (order.type === "open") {
    await fillLedger(order.databasePath, order.wallets);
    ({ wallets } = order);
    if (order.contender === "door") door = await openDoor(order.databasePath);
    else bare = openBareRows(order.databasePath, order.wallets);
    return { operationsPerSecond: 0, cpuUs: 0 };
  }
  const { batches, batchLength, batchesAtATime, withKeys } = order;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  if (door !== undefined) await runDoor(door, order);
  else for (let batch = 0; batch < batches; batch++) bare!.writeBatch(batchLength, withKeys);
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const operations = batches * batchLength;
  if (door === undefined && batchesAtATime !== 1) throw new RangeError("the bare rows are written one batch after another");
  return { operationsPerSecond: operations / seconds, cpuUs: (cpu.user + cpu.system) / operations };
}

async function runDoor(open: Door, { batches, batchLength, batchesAtATime, withKeys }: Extract<DoorOrder, { type: "run" }>): Promise<void> {
  let left = batches;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const answers = await Promise.all(Array.from({ length: batchLength }, () => open.submit(nextCommand(withKeys))));
      if (answers.some((answer) => answer.type !== "applied" || answer.replayed)) throw new Error("an addition was not applied");
    }
  };
  await Promise.all(Array.from({ length: batchesAtATime }, lane));
}

function nextCommand(withKeys: boolean): Command {
  const userId = userIdOf(Math.floor(Math.random() * wallets)) as UserId;
  return {
    type: "addMoney",
    userId,
    currency: "USD" as CurrencyCode,
    amount,
    relatedOperationId: undefined,
    idempotencyKey: withKeys ? `batch-${++lastKey}` : undefined,
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
