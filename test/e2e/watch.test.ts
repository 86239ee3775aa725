// Watching operations over real sockets: where a watch begins, what it shows to whom, and how it ends.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ReportService, type WatchOperationsResponse } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { refused } from "../support/clients/client.ts";
import { postgresLedgers, sqliteLedgers, type LedgerKind, type ServiceLedger } from "../support/service-ledgers.ts";
import { startService, type Service } from "../support/service.ts";

/** Of the ledger that is being tried. */
let kind: LedgerKind;
let ledger: ServiceLedger;
let service: Service;
let session: Http2SessionManager;
const clients = () => {
  const transport = createGrpcTransport({ baseUrl: service.url, sessionManager: session });
  return { wallets: createClient(WalletService, transport), reports: createClient(ReportService, transport) };
};

const open = async (...flags: string[]): Promise<void> => {
  ledger = await kind.make();
  service = await startService(...ledger.flags, ...flags);
  session = new Http2SessionManager(service.url);
};
const close = async (): Promise<void> => {
  session.abort();
  await service.remove();
  await ledger.remove();
};

const add = (userId: string, reference: string): Promise<unknown> => clients().wallets.addMoney({ userId, amount: "1", reference });
const wallet = (userId: string): Promise<unknown> => clients().wallets.initWallet({ userId, currency: "USD", reference: `${userId} opens` });
const fromStart = { start: { case: "fromStart", value: true } } as const;
const after = (resumeToken: string) => ({ start: { case: "resumeToken", value: resumeToken } }) as const;

type Request = Parameters<ReturnType<typeof clients>["reports"]["watchOperations"]>[0];

/** A watch whose answers are taken one by one; ended by leaving. */
class Watch {
  readonly #answers: AsyncIterator<WatchOperationsResponse>;
  readonly #leave = new AbortController();
  token = "";
  constructor(request: Request, options: { timeoutMs?: number; headers?: Record<string, string> } = {}) {
    this.#answers = clients().reports.watchOperations(request, { signal: this.#leave.signal, ...options })[Symbol.asyncIterator]();
  }
  async next(): Promise<WatchOperationsResponse> {
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error("the watch ended");
    this.token = value.resumeToken;
    return value;
  }
  /** The first answer: only a token. */
  async begin(): Promise<this> {
    const { operation, resumeToken } = await this.next();
    expect(operation).toBeUndefined();
    expect(resumeToken).not.toBe("");
    return this;
  }
  /** The references of the next operations. */
  async take(count: number): Promise<string[]> {
    const references: string[] = [];
    while (references.length < count) references.push((await this.next()).operation!.reference);
    return references;
  }
  leave(): void {
    this.#leave.abort();
  }
}

const failureOf = async (request: Request): Promise<ReturnType<typeof refused>> => {
  const watch = new Watch(request);
  return watch.next().then(
    () => Promise.reject(new Error("it was let in")),
    (thrown: unknown) => refused(thrown),
  );
};

describe.each([sqliteLedgers.one, postgresLedgers.one, postgresLedgers.eight])("$name", (tried) => {
  const hasOnePartition = tried.partitions === 1;
  beforeEach(() => {
    kind = tried;
    return open();
  });
  afterEach(close);

  describe("a watch begins", () => {
    test("now: with a token at once, and every operation after it", async () => {
      await wallet("ann");
      const watch = await new Watch({}).begin();
      await add("ann", "1");
      await add("ann", "2");
      expect(await watch.take(2)).toEqual(["1", "2"]);
      watch.leave();
    });

    test("with the first operation of the ledger, and goes on live", async () => {
      await wallet("ann");
      await add("ann", "1");
      const watch = await new Watch(fromStart).begin();
      expect(await watch.take(2)).toEqual(["ann opens", "1"]);
      await add("ann", "2");
      expect(await watch.take(1)).toEqual(["2"]);
      watch.leave();
    });

    test("in a ledger without any", async () => {
      const watch = await new Watch(fromStart).begin();
      const again = await new Watch(after(watch.token)).begin();
      await wallet("ann");
      expect([await watch.take(1), await again.take(1)]).toEqual([["ann opens"], ["ann opens"]]);
    });

    test("after any token that it gave, each exactly once", async () => {
      await wallet("ann");
      for (let number = 1; number <= 4; number++) await add("ann", `${number}`);
      const all = ["ann opens", "1", "2", "3", "4"];
      const watch = await new Watch(fromStart).begin();
      for (let count = 0; count <= 5; count++) {
        const again = await new Watch(after(watch.token)).begin();
        expect(again.token).toBe(watch.token);
        await add("ann", `after ${count}`);
        all.push(`after ${count}`);
        expect(await again.take(all.length - count)).toEqual(all.slice(count));
        expect(await watch.take(1)).toEqual(all.slice(count, count + 1));
        again.leave();
      }
      watch.leave();
    });
  });

  describe("a watch of one user", () => {
    test("shows what is done to and for that user, without the other's balance, and nothing else", async () => {
      for (const user of ["ann", "bob", "cid"]) await wallet(user);
      const watch = await new Watch({ userId: "bob" }).begin();
      const all = await new Watch({}).begin();
      await add("ann", "ann's");
      await clients().wallets.transferMoney({ userId: "ann", toUserId: "bob", amount: "1", reference: "to bob" });
      await add("cid", "cid's");
      await add("bob", "bob's");
      const transfer = (await watch.next()).operation!;
      expect([transfer.reference, transfer.userId, transfer.balanceAfter]).toEqual(["to bob", "ann", undefined]);
      expect(transfer.entries.map(({ userId, balanceAfter }) => [userId, balanceAfter?.total])).toEqual([["ann", undefined], ["bob", "1.00"]]);
      expect(await watch.take(1)).toEqual(["bob's"]);
      // Partitions are in no order between each other.
      let shown = await all.next();
      while (shown.operation!.reference !== "to bob") shown = await all.next();
      expect(shown.operation!.entries.map(({ balanceAfter }) => balanceAfter?.total)).toEqual(["0.00", "1.00"]);
      watch.leave();
      all.leave();
    });

    test("resumes behind its last answer", async () => {
      for (const user of ["ann", "bob"]) await wallet(user);
      const watch = await new Watch({ userId: "bob", ...fromStart }).begin();
      await watch.take(1);
      watch.leave();
      await add("ann", "no");
      await add("bob", "yes");
      expect(await (await new Watch({ userId: "bob", ...after(watch.token) }).begin()).take(1)).toEqual(["yes"]);
    });
  });

  describe("a token that is refused", () => {
    const flawed = async (token: string, userId?: string): Promise<string> => {
      const result = await failureOf({ ...after(token), ...(userId === undefined ? {} : { userId }) });
      expect(result).toMatchObject({ ok: false, error: { code: "InvalidArgument", reason: "INVALID_REQUEST", violations: [{ field: "resume_token" }] } });
      return (result as { error: { message: string } }).error.message;
    };
    /** The token with these bytes changed. */
    const altered = (token: string, alter: (bytes: Buffer) => Buffer): string => alter(Buffer.from(token, "base64url")).toString("base64url");
    const tokenNow = async (request: Request = {}): Promise<string> => {
      const watch = await new Watch(request).begin();
      watch.leave();
      return watch.token;
    };

    test("is no token", async () => {
      await wallet("ann");
      const token = await tokenNow();
      const garbage = ["", "nonsense", "AQ", "ü", `${token}=`, `${token} `, token.slice(0, -2), `${token}AA`, altered(token, (bytes) => (bytes.writeUInt8(2), bytes))];
      for (const each of garbage) expect(await flawed(each), each).toContain("no token that WatchOperations gave");
    });

    test("is another filter's", async () => {
      await wallet("ann");
      const [all, ann] = [await tokenNow(), await tokenNow({ userId: "ann" })];
      for (const [token, user] of [[all, "ann"], [ann, undefined], [ann, "bob"]] as const) expect(await flawed(token, user)).toContain("another user_id");
    });

    // Where in a token something is said is known of one partition.
    test.runIf(hasOnePartition)("points behind the journal's end, however far, or behind a record that it does not have", async () => {
      await wallet("ann");
      const token = await tokenNow();
      const sequenceAt = 1 + 8;
      expect(await flawed(altered(token, (bytes) => (bytes.writeUInt8(2, sequenceAt), bytes)))).toContain("does not reach so far");
      const longest = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
      expect(await flawed(altered(token, (bytes) => Buffer.concat([bytes.subarray(0, sequenceAt), longest, bytes.subarray(sequenceAt + 1)])))).toContain("does not reach so far");
      const tooLong = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
      expect(await flawed(altered(token, (bytes) => Buffer.concat([bytes.subarray(0, sequenceAt), tooLong, bytes.subarray(sequenceAt + 1)])))).toContain("no token");
      expect(await flawed(altered(token, (bytes) => (bytes.writeUInt8(bytes.at(-1)! ^ 1, bytes.length - 1), bytes)))).toContain("another operation 1");
      expect(await flawed(altered(token, (bytes) => Buffer.concat([bytes, bytes.subarray(sequenceAt)])))).toContain("2 partitions");
    });
  });

  describe("a watch ends", () => {
    test("with STORE_UNAVAILABLE when the service goes down, and nothing that was acknowledged is missing then", async () => {
      await wallet("ann");
      const watches = await Promise.all([{}, { userId: "ann" }, { userId: "bob" }].map((request) => new Watch(request).begin()));
      await add("ann", "last");
      const stopped = service.stop();
      for (const [index, watch] of watches.entries()) {
        if (index < 2 && (await watch.next().catch(() => undefined)) === undefined) continue;
        const thrown = await watch.next().catch((error: unknown) => error);
        expect(refused(thrown)).toMatchObject({ error: { code: "Unavailable", reason: "STORE_UNAVAILABLE", retryDelay: "1s" } });
      }
      await stopped;
      expect(service.complaints).toEqual([]);
    });

    test("with the deadline that its caller sends, and not with the server's longest", async () => {
      await close();
      await open("--timeout-max=100ms");
      await wallet("ann");
      const watch = await new Watch({}).begin();
      const short = await new Watch({}, { timeoutMs: 200 }).begin();
      const long = await new Watch({}, { headers: { "grpc-timeout": "99999999H" } }).begin();
      expect(Code[ConnectError.from(await short.next().catch((error: unknown) => error)).code]).toBe("DeadlineExceeded");
      await sleep(200);
      await add("ann", "late");
      expect([await watch.take(1), await long.take(1)]).toEqual([["late"], ["late"]]);
    });

    test("with its caller's leaving in the midst of answers, which is no failure of anybody's", async () => {
      await wallet("ann");
      const items = Array.from({ length: 1_000 }, () => ({ operation: { case: "addMoney" as const, value: { userId: "ann", amount: "1" } } }));
      await clients().wallets.executeBatch({ items });
      for (let round = 0; round < 20; round++) {
        const watch = new Watch(fromStart);
        await watch.next();
        await watch.next();
        watch.leave();
        await sleep(10);
      }
      await service.stop();
      expect(service.complaints).toEqual([]);
    });

    test("and makes room for another one, where as many watch as may", async () => {
      await close();
      await open("--watchers-max=2");
      const [first] = [await new Watch({}).begin(), await new Watch({ userId: "ann" }).begin()];
      expect(await failureOf({})).toMatchObject({ error: { code: "ResourceExhausted", reason: "OVERLOADED", retryDelay: "10s" } });
      first.leave();
      let isIn = false;
      while (!isIn) isIn = await new Watch({}).begin().then(() => true, () => sleep(5).then(() => false));
    });
  });
});
