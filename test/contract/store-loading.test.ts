// What every engine's store loads for a transaction: what it touches, with what hangs on it, and nothing else.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Touched } from "../../src/domain/command.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import { operationIdAt } from "../../src/domain/journal.ts";
import type { LoadedPartition } from "../../src/domain/loaded-state.ts";
import type { CurrencyCode, UserId } from "../../src/domain/wallet.ts";
import { contractEngines } from "../support/contract-engines.ts";
import { add, hold, hourMs, init, minuteMs, release, startMs, transfer } from "../support/given.ts";
import { alice, journalOf, judy } from "../support/journals.ts";
import { OpenedStore } from "../support/opened-store.ts";

const usd = "USD" as CurrencyCode;
const hashOf = (user: UserId, key: string): string => keyHash(user, key);

/** In whatever order they were loaded. */
const inOrder = (ids: readonly bigint[]): bigint[] => ids.toSorted((a, b) => Number(a - b));

interface Ids {
  readonly wallets?: readonly bigint[];
  readonly holds?: readonly bigint[];
  readonly records?: readonly bigint[];
  readonly operations?: readonly bigint[];
  readonly keys?: number;
}
const idsIn = ({ wallets, holds, records, operationIds, keys }: LoadedPartition): Ids => ({
  wallets: inOrder(wallets.map(({ walletId }) => walletId)),
  holds: inOrder(holds.map(({ holdId }) => holdId)),
  records: inOrder(records.map(({ sequence }) => sequence)),
  operations: inOrder(operationIds),
  keys: keys.length,
});

// Two users are alice and judy, who share a journal on every engine: what lies between two journals is the matter of store-partitions.test.ts.
describe.each(contractEngines)("$name", (engine) => {
  const { partition, idAt: at } = journalOf(alice, engine.partitions);

  const ledgerWithAPast = async (): Promise<OpenedStore> => {
    const made = await OpenedStore.on(engine);
    await made.ask(init("USD"), init("EUR"), init("USD", { user: "judy" }), add("10", { key: "salary" }), add("10", { user: "judy" })); // 1 to 5
    await made.ask(hold("1", { key: "rent" }), hold("2", { periodMs: 0 }), hold("3", { user: "judy", periodMs: minuteMs }), add("1000", { currency: "JPY", key: "no" })); // 6 to 8
    await made.ask(transfer("1", "judy", { key: "gift" }), { type: "capture", user: "alice", holdId: at(6n), amount: "0.5", to: "judy", key: "half the rent" }); // 9, 10
    return made;
  };

  // One for all who only look.
  let opened: OpenedStore;
  beforeAll(async () => {
    opened = await ledgerWithAPast();
  });
  beforeEach(() => {
    opened.machineTimeMs = startMs;
  });
  afterAll(() => opened.remove());

  test.each<[string, Partial<Touched>, Ids]>([
    ["nothing", {}, {}],
    ["a wallet by its currency", { wallets: [{ userId: alice, currency: usd }] }, { wallets: [at(1n)] }],
    ["a user's wallets", { wallets: [{ userId: alice, currency: undefined }] }, { wallets: [at(1n), at(2n)] }],
    ["the same wallet twice", { wallets: [{ userId: alice, currency: usd }, { userId: alice, currency: undefined }, { userId: alice, currency: usd }] }, { wallets: [at(1n), at(2n)] }],
    ["wallets of two users", { wallets: [{ userId: judy, currency: usd }, { userId: alice, currency: usd }] }, { wallets: [at(1n), at(3n)] }],
    ["a wallet that is not there", { wallets: [{ userId: alice, currency: "JPY" as CurrencyCode }, { userId: "Alice" as UserId, currency: undefined }] }, {}],
    ["a hold with its wallet", { holdIds: [at(8n)] }, { wallets: [at(3n)], holds: [at(8n)] }],
    ["an id that is no hold's", { holdIds: [at(1n), at(99n), 0n, 2n ** 62n] }, {}],
    ["whether an operation is there, and nothing of it", { operationIds: [at(4n)] }, { operations: [at(4n)] }],
    ["an operation on a hold", { operationIds: [at(8n), at(9n)] }, { operations: [at(8n), at(9n)] }],
    ["an operation that is not there", { operationIds: [at(99n), 0n, operationIdAt(partition + 1, 4n), operationIdAt(engine.partitions, 4n), 2n ** 62n] }, {}],
    ["a key with its operation", { keyHashes: [hashOf(alice, "salary")] }, { wallets: [at(1n)], records: [4n], keys: 1 }],
    ["a key with its operation's hold", { keyHashes: [hashOf(alice, "rent"), hashOf(alice, "rent")] }, { wallets: [at(1n)], holds: [at(6n)], records: [6n], keys: 1 }],
    ["a transfer's key with both wallets", { keyHashes: [hashOf(alice, "gift")] }, { wallets: [at(1n), at(3n)], records: [9n], keys: 1 }],
    ["a key of a capture into a wallet with both wallets and the hold", { keyHashes: [hashOf(alice, "half the rent")] }, { wallets: [at(1n), at(3n)], holds: [at(6n)], records: [10n], keys: 1 }],
    ["a transfer's key that is not the receiver's", { keyHashes: [hashOf(judy, "gift")] }, {}],
    ["a key with its rejection", { keyHashes: [hashOf(alice, "no")] }, { keys: 1 }],
    ["a key that is somebody else's", { keyHashes: [hashOf(judy, "salary")] }, {}],
  ])("%s", async (_, touched, expected) => expect(idsIn(await opened.load(touched))).toEqual({ wallets: [], holds: [], records: [], operations: [], keys: 0, ...expected }));

  test.each<[string, number, NonNullable<Touched["eligibleHolds"]>, LoadedPartition["eligible"]]>([
    ["all, oldest eligibility first", 10 * minuteMs, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [at(7n), at(8n), at(6n)], moreRemain: false }],
    ["only those whose time has come", minuteMs, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [at(7n), at(8n)], moreRemain: false }],
    ["not a millisecond too early", minuteMs - 1, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [at(7n)], moreRemain: false }],
    ["no more than asked for, and that there are more", hourMs, { userId: undefined, currency: undefined, max: 2 }, { holdIds: [at(7n), at(8n)], moreRemain: true }],
    ["exactly as many as asked for", hourMs, { userId: undefined, currency: undefined, max: 3 }, { holdIds: [at(7n), at(8n), at(6n)], moreRemain: false }],
    ["a user's", hourMs, { userId: alice, currency: undefined, max: 10 }, { holdIds: [at(7n), at(6n)], moreRemain: false }],
    ["a user's, of which there are more", hourMs, { userId: alice, currency: undefined, max: 1 }, { holdIds: [at(7n)], moreRemain: true }],
    ["a currency's", hourMs, { userId: undefined, currency: usd, max: 10 }, { holdIds: [at(7n), at(8n), at(6n)], moreRemain: false }],
    ["a currency's, of which there are more", hourMs, { userId: undefined, currency: usd, max: 2 }, { holdIds: [at(7n), at(8n)], moreRemain: true }],
    ["a wallet's", hourMs, { userId: judy, currency: usd, max: 10 }, { holdIds: [at(8n)], moreRemain: false }],
    ["nobody's", hourMs, { userId: "carol" as UserId, currency: undefined, max: 10 }, { holdIds: [], moreRemain: false }],
    ["of a currency without holds", hourMs, { userId: undefined, currency: "EUR" as CurrencyCode, max: 10 }, { holdIds: [], moreRemain: false }],
  ])("eligible holds: %s", async (_, afterMs, eligibleHolds, expected) => {
    opened.machineTimeMs += afterMs;
    const state = await opened.load({ eligibleHolds });
    expect(state.eligible).toEqual(expected);
    expect(state.holds.map(({ holdId }) => holdId)).toEqual(expected.holdIds);
    expect(new Set(state.wallets.map(({ walletId }) => walletId))).toEqual(new Set(state.holds.map(({ walletId }) => walletId)));
  });

  // Those who pay, those who receive, and those to whom only a hold leads.
  test.each<[string, Partial<Touched>, readonly bigint[]]>([
    ["two users'", { wallets: [{ userId: alice, currency: usd }, { userId: judy, currency: undefined }] }, [at(7n), at(8n), at(6n)]],
    ["a hold's", { holdIds: [at(6n)] }, [at(7n), at(6n)]],
    ["a hold's and a user's", { wallets: [{ userId: judy, currency: undefined }], holdIds: [at(6n)] }, [at(7n), at(8n), at(6n)]],
    ["a wallet's without holds", { wallets: [{ userId: alice, currency: "EUR" as CurrencyCode }] }, []],
  ])("eligible holds of touched wallets: %s", async (_, touched, holdIds) => {
    opened.machineTimeMs += hourMs;
    expect((await opened.load({ ...touched, eligibleHolds: { of: "touched wallets", max: 10 } })).eligible).toEqual({ holdIds, moreRemain: false });
  });

  test("a hold that was resolved is not eligible", async ({ onTestFinished }) => {
    const own = await ledgerWithAPast();
    onTestFinished(() => own.remove());
    own.machineTimeMs += hourMs;
    await own.ask(release({ user: "alice" }));
    expect((await own.load({ eligibleHolds: { userId: undefined, currency: undefined, max: 10 } })).eligible.holdIds).toEqual([at(8n)]);
  });
});
