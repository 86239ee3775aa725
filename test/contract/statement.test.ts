// A statement while the ledger lives on: its end is fixed when it begins, it is read as it is taken, and it ends with its call.

import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GetStatementRequestSchema, type GetStatementResponse } from "../../gen/wallet/v1/report_service_pb.ts";
import { statementOf } from "../../src/api/statement.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import type { Reads, Store } from "../../src/store/store.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { contractEngines } from "../support/contract-engines.ts";
import type { LedgerPlace } from "../support/engines.ts";
import { add, init, startMs, storyRules } from "../support/given.ts";

describe.each(contractEngines)("$name", (engine) => {
  let place: LedgerPlace;
  let store: Store;
  let reads: Reads;
  let readings: number;
  const ask = (...story: Asked[]): Promise<unknown> => executorOn(store, storyRules).execute(story.map(toCommand));
  const adds = (count: number): Asked[] => Array.from({ length: count }, () => add("1"));

  beforeEach(async () => {
    place = await engine.open();
    store = await place.openStore(() => startMs);
    reads = await place.openReads(() => startMs);
    readings = 0;
    await ask(init(), ...adds(299));
  });
  afterEach(async () => {
    await reads.close();
    await store.close();
    await place.remove();
  });

  const statement = (signal = new AbortController().signal): AsyncGenerator<GetStatementResponse> => {
    const counting: Reads = { ...reads, operationsForward: (walletId, between) => ((readings += 1), reads.operationsForward(walletId, between)) };
    return statementOf({ reads: counting, rules: storyRules }, create(GetStatementRequestSchema, { userId: "alice" }), { signal } as HandlerContext);
  };

  test("operations that come while it streams are not in it, and its balances agree", async () => {
    const versions: bigint[] = [];
    const balances: string[] = [];
    for await (const { line } of statement()) {
      if (line.case === "operation") versions.push(line.value.walletVersion);
      else balances.push(line.value!.total);
      if (versions.length % 50 === 1) await ask(add("1"));
    }
    expect(versions).toEqual(Array.from({ length: 300 }, (_, index) => BigInt(index + 1)));
    expect(balances).toEqual(["0.00", "299.00"]);
  });

  test("no more is read than is taken", async () => {
    const lines = statement();
    for (let taken = 0; taken < 40; taken++) await lines.next();
    expect(readings).toBe(1);
    await lines.return(undefined);
    expect(readings).toBe(1);
  });

  test("it ends with its call", async () => {
    const call = new AbortController();
    const reason = new Error("gone");
    const all = async (): Promise<void> => {
      for await (const { line } of statement(call.signal)) if (line.case === "operation" && line.value.walletVersion === 10n) call.abort(reason);
    };
    await expect(all()).rejects.toBe(reason);
    expect(readings).toBe(1);
  });
});
