// Operations whose wallets are in two partitions: decided together, one record in each journal, and none of it where the ledger says no.

import { describe, expect, test } from "vitest";
import type { WalletCommand } from "../../../src/domain/command.ts";
import { recordHash } from "../../../src/domain/canonical.ts";
import { genesisHash, operationIdAt, type JournalRecord } from "../../../src/domain/journal.ts";
import { noTotals } from "../../../src/domain/totals.ts";
import { toCommand, type AskedOfWallet } from "../../support/asked.ts";
import { add, capture, close, freeze, givenIn, held, hold, limit, money, startMs, transfer, wallet, withdraw, type Story } from "../../support/given.ts";

/** Of eight partitions alice has number 1, bob number 0, and the neighbour alice's. */
const [alices, bobs] = [1, 0];
const neighbour = "carol:+@1";
const bob = { user: "bob" };

const two = (): Story => givenIn(8, wallet("100.00"), wallet("5.00", bob));
const renting = (): Story => givenIn(8, wallet("100.00"), wallet("5.00", bob), held("30.00", { as: "rent" }));

const journal = ({ ledger }: Story, partition: number): JournalRecord[] => [...ledger.partitions[partition]!.records.values()];
const heads = ({ ledger }: Story): bigint[] => ledger.partitions.map(({ head }) => head.sequence);

/** Everything that is in wallets, of all partitions. */
const inWallets = ({ ledger }: Story): bigint => ledger.partitions.flatMap((each) => [...each.wallets.values()]).reduce((sum, { availableMinor, heldMinor }) => sum + availableMinor + heldMinor, 0n);

describe("a transfer to another partition", () => {
  test("takes from one wallet and gives to the other", () => {
    const story = two().when(transfer("30.00", "bob")).applies({ available: "70.00", receiver: { user: "bob", amount: "30.00", available: "35.00", version: 3n } });
    story.leaves({ available: "70.00", version: 3n }).leaves({ available: "35.00", version: 3n }, bob);
    expect(inWallets(story)).toBe(10_500n);
  });

  test("has a record in each journal: the payer's is the operation, the receiver's names it", () => {
    const story = two().when(transfer("30.00", "bob", { key: "k", reference: "rent", metadata: { a: "1" } })).applies();
    const [payers, receivers] = [journal(story, alices).at(-1)!, journal(story, bobs).at(-1)!];
    expect(payers).toMatchObject({ partition: 1, sequence: 3n, operationId: operationIdAt(1, 3n), apart: { side: "PAYER", other: { userId: "bob", exponent: 2 } }, keyHash: expect.any(String) });
    expect(receivers).toMatchObject({ partition: 0, sequence: 3n, operationId: operationIdAt(1, 3n), apart: { side: "RECEIVER", other: { userId: "alice", exponent: 2 } }, keyHash: undefined });
    const { partition: _, sequence: _s, hash: _h, apart: _a, keyHash: _k, ...said } = payers;
    expect(receivers).toMatchObject(said);
  });

  test("is sealed in both chains, and heads and links follow", () => {
    const story = two().when(transfer("30.00", "bob"), transfer("1.00", "alice", bob), add("1.00", bob)).applies().and.applies().and.applies();
    for (const partition of [alices, bobs]) {
      let previous = genesisHash;
      for (const { hash, ...record } of journal(story, partition)) {
        expect(hash).toEqual(recordHash(previous, record));
        previous = hash;
      }
      expect(story.ledger.partitions[partition]!.head.hash).toEqual(previous);
      expect(journal(story, partition).map(({ sequence }) => sequence)).toEqual(journal(story, partition).map((_, index) => BigInt(index + 1)));
    }
    expect(journal(story, bobs).map(({ previousSequence, receiver, apart }) => (apart?.side === "RECEIVER" ? receiver!.previousSequence : previousSequence))).toEqual([0n, 1n, 2n, 3n, 4n]);
    expect(heads(story)).toEqual([5n, 4n, 0n, 0n, 0n, 0n, 0n, 0n]);
  });

  test("is counted in each partition for the wallet that is there", () => {
    const story = two().when(transfer("30.00", "bob")).applies();
    const totals = (partition: number): unknown => story.ledger.partitions[partition]!.currencyTotals.get("USD:2")!.totals;
    expect(totals(alices)).toEqual({ ...noTotals, adds: { count: 1n, minor: 10_000n }, transfersOut: { count: 1n, minor: 3_000n } });
    expect(totals(bobs)).toEqual({ ...noTotals, adds: { count: 1n, minor: 500n }, transfersIn: { count: 1n, minor: 3_000n } });
  });

  test("goes back and forth in one batch, each seeing what those before it did", () => {
    const story = two().when(transfer("100.00", "bob"), transfer("105.00", "alice", bob), transfer("105.01", "bob"), withdraw("105.00"));
    story.applies({ available: "0.00" }).and.applies({ available: "0.00", receiver: { available: "105.00" } }).and.rejects("INSUFFICIENT_FUNDS").and.applies({ available: "0.00" });
  });

  test("to a neighbour in the same partition has one record", () => {
    const story = givenIn(8, wallet("100.00"), wallet("0", { user: neighbour })).when(transfer("30.00", neighbour)).applies();
    expect(heads(story)).toEqual([0n, 4n, 0n, 0n, 0n, 0n, 0n, 0n]);
    expect(journal(story, alices).at(-1)).toMatchObject({ apart: undefined, receiver: { amountMinor: 3_000n } });
  });

  test("counts in the decimals of each wallet, and each record says the other's", () => {
    const points = { currency: "POINTS" };
    const story = givenIn(8, wallet("100", points)).servedWith({ POINTS: 2 }).when(...wallet("5", { ...bob, ...points })).applies();
    story.when(transfer("30", "bob", points)).applies({ amount: "30", receiver: { amount: "30.00", available: "35.00" } });
    expect(journal(story, alices).at(-1)!.apart).toEqual({ side: "PAYER", other: { userId: "bob", exponent: 2 } });
    expect(journal(story, bobs).at(-1)!.apart).toEqual({ side: "RECEIVER", other: { userId: "alice", exponent: 0 } });
  });
});

describe("a capture into a wallet of another partition", () => {
  test("spends the hold and gives the money to the receiver", () => {
    const story = renting().when(capture("rent", "10.00", { to: "bob", final: true })).applies({ available: "90.00", held: "0.00", hold: { status: "CAPTURED", captured: "10.00" }, receiver: { available: "15.00" } });
    expect(inWallets(story)).toBe(10_500n);
  });

  test("tells the receiver's partition nothing of hold and key", () => {
    const story = renting().when(capture("rent", "10.00", { to: "bob", key: "k" })).applies();
    expect(journal(story, alices).at(-1)).toMatchObject({ kind: "CAPTURE", hold: { holdId: operationIdAt(1, 3n), capturedMinor: 1_000n }, keyHash: expect.any(String) });
    expect(journal(story, bobs).at(-1)).toMatchObject({ kind: "CAPTURE", hold: undefined, keyHash: undefined, receiver: { amountMinor: 1_000n } });
    expect([story.ledger.partitions[bobs]!.holds.size, story.ledger.partitions[bobs]!.keys.size]).toEqual([0, 0]);
  });
});

describe("a no leaves both partitions as they were", () => {
  test.each<[string, Parameters<Story["rejects"]>[0], () => Story, AskedOfWallet]>([
    ["more than is there", "INSUFFICIENT_FUNDS", two, transfer("100.01", "bob")],
    ["a receiver who has no wallet", "WALLET_NOT_FOUND", two, transfer("1.00", "carol")],
    ["a receiver's limit", "BALANCE_LIMIT_EXCEEDED", () => two().when(limit("10.00", bob)).applies(), transfer("5.01", "bob")],
    ["a closed receiver", "WALLET_CLOSED", () => two().when(withdraw("5.00", bob), close(bob)).applies().and.applies(), transfer("1.00", "bob")],
    ["a frozen payer", "WALLET_FROZEN", () => two().when(freeze()).applies(), transfer("1.00", "bob")],
  ])("%s", (_, reason, before, asked) => {
    const story = before();
    const were = heads(story);
    story.when({ ...asked, key: "k" }).rejects(reason).when({ ...asked, key: "k" }).replays();
    expect(heads(story)).toEqual(were);
    expect([story.ledger.partitions[alices]!.keys.size, story.ledger.partitions[bobs]!.keys.size]).toEqual([1, 0]);
  });

  test("a frozen receiver still takes money in", () => two().when(freeze(bob)).applies().and.when(transfer("1.00", "bob")).applies({ receiver: { state: "FROZEN", available: "6.00" } }));

  test("a request that is only to be validated", () => {
    const story = two();
    const were = heads(story);
    story.when(transfer("30.00", "bob", { validateOnly: true })).applies({ receiver: { available: "35.00" } }).changesNothing();
    expect(heads(story)).toEqual(were);
  });
});

describe("the same key again", () => {
  test("is answered in the record's own words, whatever has become of the receiver since", () => {
    const asked = transfer("30.00", "bob", { key: "k" });
    const story = two().when(asked).applies();
    story.when(withdraw("35.00", bob), close(bob), add("1.00")).applies().and.applies().and.applies();
    story.when(asked).replays().changesNothing();
  });

  test("of a capture", () => {
    const story = renting().when(capture("rent", "10.00", { to: "bob", key: "k" })).applies();
    story.when(capture("rent", "20.00", { final: true })).applies().when(capture("rent", "10.00", { to: "bob", key: "k" })).replays();
  });
});

describe("a batch over two partitions", () => {
  const execute = (story: Story, items: readonly AskedOfWallet[]) => story.ledger.execute([{ type: "executeBatch", atomic: true, items: items.map((asked) => toCommand(asked) as WalletCommand) }], startMs);

  test("that is aborted is undone in both, and remembered for each user in that user's own", () => {
    const story = two();
    const standing = (): unknown => story.ledger.partitions.map(({ head, records, wallets, holds, currencyTotals }) => [head.sequence, head.hash, ...[records, wallets, holds, currencyTotals].map((each) => [...each.values()])]);
    const before = standing();
    const { answers } = execute(story, [transfer("30.00", "bob", { key: "a" }), hold("1.00", { ...bob, key: "b" }), transfer("1.00", "alice", bob), withdraw("1000.00", { ...bob, key: "c" })]);
    expect(answers).toMatchObject([{ type: "rejected", rejection: { reason: "BATCH_ABORTED", index: 3, causeReason: "INSUFFICIENT_FUNDS" } }]);
    expect(standing()).toEqual(before);
    expect([story.ledger.partitions[alices]!.keys.size, story.ledger.partitions[bobs]!.keys.size]).toEqual([1, 2]);
    story.when(transfer("30.00", "bob")).applies({ receiver: { available: "35.00" } });
    expect(heads(story).slice(0, 2)).toEqual([3n, 3n]);
  });

  test("that is granted is one set of changes for each, in ascending order", () => {
    const { changes } = execute(two(), [transfer("30.00", "bob"), transfer("1.00", "alice", bob)]);
    expect(changes.map(({ head, records, wallets }) => [head.partition, records.length, wallets.length])).toEqual([[0, 2, 1], [1, 2, 1]]);
  });
});

describe("ids", () => {
  test("of wallets, holds and operations are born in the owner's partition", () => {
    const story = two().when(hold("1.00"), hold("1.00", bob)).applies({ amount: "1.00" });
    expect([story.wallet().walletId, story.wallet(bob).walletId]).toEqual([operationIdAt(1, 1n), operationIdAt(0, 1n)]);
    expect(story.ledger.partitions.flatMap(({ holds }) => [...holds.keys()])).toEqual([operationIdAt(0, 3n), operationIdAt(1, 3n)]);
  });

  test("of another partition may be related to, but not a place that only has a receiver's record", () => {
    const story = two().when(transfer("30.00", "bob")).applies();
    story.when(add("1.00", { related: operationIdAt(0, 2n) })).applies();
    story.when(add("1.00", { ...bob, related: operationIdAt(1, 3n) })).applies();
    story.when(add("1.00", { related: operationIdAt(0, 3n) })).rejects("OPERATION_NOT_FOUND", { operationId: operationIdAt(0, 3n) });
  });
});

test("what was asked for is said in the payer's words", () => {
  two().when(transfer("100.01", "bob")).rejects("INSUFFICIENT_FUNDS", { available: money("100.00"), requested: money("100.01") });
});
