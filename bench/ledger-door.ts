// A contender of rows 4 and 5 in a process of its own: the queue and the writer thread without a network, or the bare rows. It takes one order after another.

import type { WalletCommand } from "../src/domain/command.ts";
import { parseDecimal } from "../src/domain/money.ts";
import type { CurrencyCode, UserId } from "../src/domain/wallet.ts";
import { openBareRows, type BareRows } from "./bare-rows.ts";
import { inLanes, reportOn, type BatchReport } from "./batch-report.ts";
import { openDoor, type Door } from "./filled-ledger.ts";
import { keyOf, userIdOf } from "./requests.ts";

export type DoorOrder =
  /** Opens a filled ledger. */
  | { readonly type: "open"; readonly contender: "door" | "bare"; readonly databasePath: string; readonly wallets: number }
  | { readonly type: "run"; readonly commandType: "batch" | "single"; readonly batches: number; readonly batchLength: number; readonly batchesAtATime: number; readonly withKeys: boolean };

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
  return reportOn({ servers: [process.pid] }, batches * batchLength, async () => {
    for (let batch = 0; batch < batches; batch++) rows.writeBatch(batchLength, withKeys);
  });
}

/** `single`: the operations of a batch are commands of their own that arrive together, as unary calls do. */
function runDoor(open: Door, { commandType, batches, batchLength, batchesAtATime, withKeys }: Run): Promise<BatchReport> {
  // Made up before the clock starts, as the load makes up its messages.
  const commands = Array.from({ length: batches }, () => Array.from({ length: batchLength }, () => nextCommand(withKeys)));
  const submit = commandType === "batch" ? submitTogether : submitSingly;
  return reportOn({ servers: [process.pid] }, batches * batchLength, () =>
    inLanes(batches, batchesAtATime, async (index) => {
      const results = await submit(open, commands[index]!);
      if (results.length !== batchLength || results.some((result) => result.type !== "applied" || result.replayed)) throw new Error("an addition was not applied");
    }),
  );
}

/** What is looked at of an answer, whether it came alone or in a batch. */
interface Outcome {
  readonly type: string;
  readonly replayed?: boolean;
}

async function submitTogether(open: Door, items: readonly WalletCommand[]): Promise<readonly Outcome[]> {
  const answer = await open.submit({ type: "executeBatch", items, atomic: false });
  return answer.type === "batch" ? answer.results : [];
}

function submitSingly(open: Door, commands: readonly WalletCommand[]): Promise<readonly Outcome[]> {
  return Promise.all(commands.map((command) => open.submit(command)));
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
