// What an engine's store promises of a ledger with several partitions: a transaction over two is one, each is loaded and written by itself, and reads find what is where.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Changes } from "../../src/domain/loaded-state.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import { operationIdAt } from "../../src/domain/journal.ts";
import type { CurrencyCode, UserId } from "../../src/domain/wallet.ts";
import type { Reads } from "../../src/store/store.ts";
import { contractEngines } from "../support/contract-engines.ts";
import { add, hold, hourMs, init, minuteMs, release, startMs, transfer, withdraw } from "../support/given.ts";
import { OpenedStore, untouched } from "../support/opened-store.ts";

/** Of eight partitions alice has number 1, bob number 0, carol number 7. */
const [alice, bob, carol] = ["alice", "bob", "carol"] as [UserId, UserId, UserId];
const usd = "USD" as CurrencyCode;
const inAlices = (sequence: bigint): bigint => operationIdAt(1, sequence);

describe.each(contractEngines.filter(({ partitions }) => partitions === 8))("$name", (engine) => {
  let opened: OpenedStore;
  let reads: Reads;
  beforeEach(async () => {
    opened = await OpenedStore.on(engine);
    reads = await opened.reads();
    await opened.ask(init(), add("100", { key: "salary" }), init("USD", { user: bob }), init("USD", { user: carol }), hold("5", { key: "rent" }));
  });
  afterEach(async () => {
    await reads.close();
    await opened.remove();
  });

  const sound = async (): Promise<void> => expect((await opened.place.checkBooks(hourMs)).problems).toEqual([]);

  test("a ledger keeps the number of partitions that it was made with", async () => {
    expect([opened.store.partitionCount, reads.partitionCount]).toEqual([8, 8]);
    expect((await opened.place.dump())["ledger_head"]).toHaveLength(8);
    await opened.reopen();
    expect(opened.store.partitionCount).toBe(8);
  });

  describe("a transaction over two partitions", () => {
    test("writes both", async () => {
      expect(await opened.ask(transfer("30", "bob"))).toMatchObject([{ record: { operationId: inAlices(4n), partition: 1, sequence: 4n } }]);
      expect([await reads.head(0), await reads.head(1)]).toMatchObject([{ sequence: 2n }, { sequence: 4n }]);
      expect(await reads.heads([1, 0])).toEqual([await reads.head(1), await reads.head(0)]);
      expect([await reads.wallets(alice, usd), await reads.wallets(bob, usd)]).toMatchObject([[{ availableMinor: 6_500n, headSequence: 4n }], [{ availableMinor: 3_000n, headSequence: 2n }]]);
      await sound();
    });

    test.each<[string, (changes: Changes) => Changes]>([
      ["what the tables refuse in the first", (changes) => (changes.head.partition === 0 ? { ...changes, wallets: [{ ...changes.wallets[0]!, availableMinor: -1n }] } : changes)],
      ["what the tables refuse in the second", (changes) => (changes.head.partition === 1 ? { ...changes, wallets: [{ ...changes.wallets[0]!, availableMinor: -1n }] } : changes)],
    ])("is all or nothing: %s", async (_, alter) => {
      const before = await opened.place.dump();
      const altered: typeof opened.store.transact = (touched, plan) =>
        opened.store.transact(touched, (state) => {
          const { changes, result } = plan(state);
          return { changes: changes.map(alter), result };
        });
      await expect(opened.askOn({ partitionCount: 8, transact: altered, close: async () => {} }, transfer("30", "bob"))).rejects.toThrow();
      expect(await opened.place.dump()).toEqual(before);
      await opened.ask(transfer("30", "bob"));
      await sound();
    });

    test("sees one time, behind neither partition's last change", async () => {
      opened.machineTimeMs += hourMs;
      await opened.ask(add("1", { user: bob }));
      opened.machineTimeMs = startMs + 1;
      expect(await opened.ask(add("1"), add("1", { user: carol }))).toMatchObject([{ record: { timeMs: startMs + 1 } }, { record: { timeMs: startMs + 1 } }]);
      // A user's is that of the partition, which knows nothing of the others yet.
      expect([await reads.nowMs(undefined), await reads.nowMs(bob), await reads.nowMs(carol)]).toEqual([startMs + hourMs, startMs + hourMs, startMs + 1]);
      expect(await opened.ask(transfer("1", "bob"))).toMatchObject([{ record: { timeMs: startMs + hourMs } }]);
      await sound();
    });
  });

  test("what is touched in a partition is loaded from there, and operations are found in any", async () => {
    const touched = { partition: 1, wallets: [{ userId: alice, currency: usd }], holdIds: [inAlices(3n)], keyHashes: [keyHash(alice, "salary")], operationIds: [1n, inAlices(1n), inAlices(9n), operationIdAt(7, 1n)] };
    expect(await opened.load(touched)).toMatchObject({
      head: { partition: 1, sequence: 3n },
      wallets: [{ walletId: inAlices(1n) }],
      holds: [{ holdId: inAlices(3n) }],
      keys: [{ outcome: { sequence: 2n } }],
      operationIds: [1n, inAlices(1n), operationIdAt(7, 1n)],
      currencyTotals: [{ totals: { adds: { count: 1n } } }],
    });
    expect(await opened.load({ ...touched, partition: 0 })).toMatchObject({ wallets: [], holds: [], keys: [] });
    await expect(opened.store.transact([{ ...untouched, partition: 8 }], () => ({ changes: [], result: undefined }))).rejects.toThrow("partition 8");
  });

  test("of two records the payer's is the operation, and each wallet's history has its own", async () => {
    await opened.ask(transfer("30", "bob"));
    expect(await reads.operation(inAlices(4n))).toMatchObject({ record: { partition: 1, apart: { side: "PAYER" } }, wallet: { userId: alice }, receiver: { userId: bob, currency: "USD", exponent: 2 } });
    expect(await reads.operation(2n)).toBeUndefined();
    const [of] = await reads.wallets(bob, usd);
    const [received] = await reads.operationsForward(of!, { after: 1n, upTo: 2n });
    expect(received).toMatchObject({ record: { operationId: inAlices(4n), partition: 0, sequence: 2n, apart: { side: "RECEIVER" } }, wallet: { userId: alice, exponent: 2 }, receiver: { userId: bob } });
    expect(await reads.walletAsOf(of!, { sequence: 2n })).toMatchObject({ availableMinor: 3_000n });
  });

  test("a hold is found with its owner, and with nobody of another partition", async () => {
    expect(await reads.hold(alice, inAlices(3n))).toMatchObject({ hold: { holdId: inAlices(3n) }, wallet: { userId: alice } });
    expect(await reads.hold(bob, inAlices(3n))).toBeUndefined();
  });

  test("a release of everybody's goes through all partitions", async () => {
    await opened.ask(add("9", { user: bob }), hold("2", { user: bob }));
    opened.machineTimeMs += hourMs;
    expect(await opened.ask(release())).toEqual([{ type: "released", count: 2, amounts: [{ currency: "USD", exponent: 2, minor: 700n }], moreRemain: false }]);
    await sound();
  });

  test("a hold is overdue by the clock of its own partition, by which it is released", async () => {
    const everybody = { userId: undefined, currency: undefined };
    opened.machineTimeMs += hourMs;
    await opened.ask(withdraw("1", { user: bob }), add("1", { user: bob }));
    // The machine's clock is set back: bob's partition is ahead of alice's now.
    opened.machineTimeMs = startMs + minuteMs;
    expect(await reads.hasOverdue(everybody)).toBe(false);
    expect(await opened.ask(release())).toMatchObject([{ count: 0 }]);
    opened.machineTimeMs = startMs + 10 * minuteMs;
    expect(await reads.hasOverdue(everybody)).toBe(true);
    expect(await opened.ask(release())).toMatchObject([{ count: 1 }]);
    expect(await reads.hasOverdue(everybody)).toBe(false);
  });

  test("counters of everybody come partition by partition, a user's are the user's alone", async () => {
    await opened.ask(init("EUR"), add("1", { currency: "EUR" }), add("4", { user: bob }));
    const adds = async (userId: UserId | undefined, currency?: CurrencyCode): Promise<unknown> =>
      (await reads.totals({ userId, currency })).map((each) => [each.currency, each.totals.adds.count, each.totals.adds.minor]);
    expect(await adds(undefined)).toEqual([["USD", 1n, 400n], ["EUR", 1n, 100n], ["USD", 1n, 10_000n]]);
    expect(await adds(undefined, usd)).toEqual([["USD", 1n, 400n], ["USD", 1n, 10_000n]]);
    expect(await adds(bob)).toEqual([["USD", 1n, 400n]]);
    expect(await adds(alice)).toEqual([["USD", 1n, 10_000n], ["EUR", 1n, 100n]]);
  });

  test("keys with one name are each user's own", async () => {
    await opened.ask(add("1", { user: bob, key: "salary" }));
    expect([(await reads.key(alice, keyHash(alice, "salary")))?.operation?.record.operationId, (await reads.key(bob, keyHash(bob, "salary")))?.operation?.record.operationId]).toEqual([inAlices(2n), 2n]);
  });
});
