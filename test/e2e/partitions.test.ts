// A service on a ledger with eight partitions, and on PostgreSQL with one and with eight: it answers as SQLite with one does, and shows everybody's operations and each user's own.

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReportService, type WatchOperationsResponse } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService, type BatchApplied } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import { refused } from "../support/clients/client.ts";
import { plainWay } from "../support/clients/ways.ts";
import { postgresLedgers, sqliteLedgers, type ServiceLedger } from "../support/service-ledgers.ts";
import { startService, type Service } from "../support/service.ts";
import { scenarioFlags, scenarios } from "./scenarios.ts";
import type { Step } from "./steps.ts";
import { record, type Line, type Transcript } from "./transcript.ts";

const ledgers = [sqliteLedgers.eight, postgresLedgers.one, postgresLedgers.eight];

let one: Transcript;
beforeAll(async () => {
  one = await record(plainWay, scenarios, scenarioFlags);
});

describe.each(ledgers)("the scenarios on $name", (kind) => {
  let several: Transcript;
  beforeAll(async () => {
    several = await record(plainWay, scenarios, scenarioFlags, { kind });
  });

  /** Fields that say where in which journal something is, and how many records there are. */
  const places = new Set(["operationId", "holdId", "relatedOperationId", "partition", "sequence", "checkedOperations", "hold_id", "operation_id"]);

  /** The answers without ids and places, which are others where there are partitions. */
  const withoutPlaces = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withoutPlaces);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, each]) => {
      if (places.has(key)) return [key, "a place"];
      return [key, key === "message" ? String(each).replaceAll(/\d+/g, "#") : withoutPlaces(each)];
    });
    // A first partition, and a first place in it, are left out as zeros are.
    return Object.fromEntries(entries.filter(([key]) => key !== "partition"));
  };

  /** Everybody's holds come partition after partition. */
  const isListOfEverybodys = (step: Step): boolean => "method" in step && step.method === "ListHolds" && !("user_id" in step.request);

  test.each(scenarios.map(({ name }) => name))("%s", (name) => {
    const lines = (transcript: Transcript): readonly Line[] => transcript.scenarios.get(name)!.filter(({ step }) => !isListOfEverybodys(step));
    const results = (transcript: Transcript): unknown => lines(transcript).map(({ result }) => withoutPlaces(result));
    expect(results(several)).toEqual(results(one));
  });

  test("log no trouble", () => expect(several.complaints.filter((line) => !line.includes("QueueFull"))).toEqual([]));
});

describe.each(ledgers.filter(({ partitions }) => partitions === 8))("watches and receipts on $name", ({ make }) => {
  let ledger: ServiceLedger;
  let service: Service;
  let session: Http2SessionManager;
  let wallets: ReturnType<typeof createClient<typeof WalletService>>;
  let reports: ReturnType<typeof createClient<typeof ReportService>>;
  beforeAll(async () => {
    ledger = await make();
    service = await startService(...ledger.flags);
    session = new Http2SessionManager(service.url);
    const transport = createGrpcTransport({ baseUrl: service.url, sessionManager: session });
    [wallets, reports] = [createClient(WalletService, transport), createClient(ReportService, transport)];
    for (const userId of ["alice", "bob", "carol"]) await wallets.initWallet({ userId, currency: "USD", reference: `${userId} opens` });
    for (let number = 1; number <= 4; number++) {
      await wallets.addMoney({ userId: "alice", amount: "9", reference: `alice ${number}` });
      await wallets.transferMoney({ userId: "alice", toUserId: "bob", amount: "2", reference: `to bob ${number}` });
      await wallets.transferMoney({ userId: "bob", toUserId: "carol", amount: "1", reference: `to carol ${number}` });
    }
  });
  afterAll(async () => {
    session.abort();
    await service.remove();
    await ledger.remove();
  });

  type Request = Parameters<typeof reports.watchOperations>[0];

  /** So many operations with the tokens behind them, from the start or behind a token. */
  async function seen(count: number, request: Request): Promise<WatchOperationsResponse[]> {
    const leave = new AbortController();
    const answers: WatchOperationsResponse[] = [];
    try {
      if (count === 0) return answers;
      for await (const answer of reports.watchOperations(request, { signal: leave.signal })) {
        if (answer.operation !== undefined) answers.push(answer);
        if (answers.length === count) return answers;
      }
      return answers;
    } finally {
      leave.abort();
    }
  }

  const fromStart = { start: { case: "fromStart", value: true } } as const;
  const referencesIn = (answers: readonly WatchOperationsResponse[]): string[] => answers.map(({ operation }) => operation!.reference);

  test("everybody's operations come once each, in each payer's order, and resume behind any of them", async () => {
    const all = await seen(15, fromStart);
    const references = referencesIn(all);
    expect(new Set(references).size).toBe(15);
    for (const payers of [/^(alice|to bob)/, /^(bob|to carol)/, /^carol/]) {
      const own = all.filter(({ operation }) => payers.test(operation!.reference)).map(({ operation }) => operation!.operationId);
      expect(own).toEqual(own.toSorted((a, b) => Number(a - b)));
    }
    for (const [index, { resumeToken }] of all.entries()) {
      const rest = await seen(14 - index, { start: { case: "resumeToken", value: resumeToken } });
      expect([...references.slice(0, index + 1), ...referencesIn(rest)].toSorted()).toEqual(references.toSorted());
    }
  });

  test("a user's operations come in order, those of others that pay that user among them", async () => {
    const answers = await seen(9, { userId: "bob", ...fromStart });
    expect(referencesIn(answers)).toEqual(["bob opens", ...[1, 2, 3, 4].flatMap((number) => [`to bob ${number}`, `to carol ${number}`])]);
    const [, received] = answers;
    expect(received!.operation).toMatchObject({ userId: "alice", partition: 0, sequence: 2n });
    expect(received!.operation!.balanceAfter).toBeUndefined();
  });

  test("a token of everybody's has a place for each partition, and one with another number of them is none of this ledger", async () => {
    const [{ resumeToken } = { resumeToken: "" }] = await seen(1, fromStart);
    const bytes = Buffer.from(resumeToken, "base64url");
    const short = bytes.subarray(0, bytes.length - 9).toString("base64url");
    const thrown = await seen(1, { start: { case: "resumeToken", value: short } }).catch((error: unknown) => error);
    expect(refused(thrown)).toMatchObject({ error: { reason: "INVALID_REQUEST", message: expect.stringContaining("7 partitions") } });
  });

  test("a receipt is good for whoever was told of the operation", async () => {
    const { operations: alices } = await wallets.listOperations({ userId: "alice" });
    const { operations: bobs } = await wallets.listOperations({ userId: "bob" });
    for (const { operationId, hash } of [...alices, ...bobs]) expect(await reports.verifyReceipt({ operationId, hash })).toMatchObject({ valid: true });
    const transfer = bobs.find(({ userId }) => userId === "alice")!;
    expect(Buffer.compare(transfer.hash, alices.find(({ operationId }) => operationId === transfer.operationId)!.hash)).not.toBe(0);
    expect(await reports.verifyReceipt({ operationId: transfer.operationId, hash: transfer.hash.map((byte) => byte ^ 1) })).toMatchObject({ valid: false });
  });

  test("a balance as of what came in from another partition is what that left, whatever came in the same moment", async () => {
    expect(partitionOf("gwen" as UserId, 8)).not.toBe(partitionOf("hugo" as UserId, 8));
    for (const userId of ["gwen", "hugo"]) await wallets.initWallet({ userId, currency: "USD" });
    await wallets.addMoney({ userId: "gwen", amount: "30" });
    const transfer = (amount: string) => ({ operation: { case: "transferMoney" as const, value: { userId: "gwen", toUserId: "hugo", amount } } });
    const { results } = await wallets.executeBatch({ atomic: true, items: [transfer("10"), transfer("20")] });
    const ids = results.map(({ outcome }) => (outcome.value as BatchApplied).operationId);
    const totals = await Promise.all(ids.map((id) => reports.getWalletBalance({ userId: "hugo", asOf: { case: "asOfOperationId", value: id } })));
    expect(totals).toMatchObject([{ total: "10.00", version: 2n }, { total: "30.00", version: 3n }]);
  });

  test("a balance as of an operation of another partition is as of its time", async () => {
    const { operations } = await wallets.listOperations({ userId: "carol" });
    const last = operations[0]!;
    expect(await reports.getWalletBalance({ userId: "alice", asOf: { case: "asOfOperationId", value: last.operationId } })).toMatchObject({ total: "28.00" });
  });
});
