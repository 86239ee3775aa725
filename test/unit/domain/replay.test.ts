// The journal replayed: what the ledger decided follows from the records before it, and a record that does not follow is told where it stands.

import { expect, test } from "vitest";
import { Mismatches } from "../../../src/domain/audit/mismatch.ts";
import { JournalReplay } from "../../../src/domain/audit/replay.ts";
import { recordHash } from "../../../src/domain/canonical.ts";
import type { Hold } from "../../../src/domain/hold.ts";
import { genesisHash, type JournalRecord } from "../../../src/domain/journal.ts";
import type { UserId, Wallet, WalletIdentity } from "../../../src/domain/wallet.ts";
import { add, capture, close, extend, freeze, given, held, hold, limit, reverse, startMs, transfer, unfreeze, wallet, withdraw, type Story } from "../../support/given.ts";

const story = (): Story =>
  given(wallet("100.00"), wallet("5.00", { user: "bob" }), wallet("0", { user: "carol", currency: "JPY" }), held("1.00"))
    .when(hold("30.00", { as: "rent" }), hold("8.00", { as: "car" }), hold("4.00", { as: "taxi" }))
    .when(capture("rent", "10.00"), capture("rent", "5.00", { final: true, to: "bob" }), capture("car", "8.00"), extend("taxi", 3_600_000))
    .when(reverse("taxi"), withdraw("2.50"), transfer("7.00", "bob"), limit("500.00"), freeze())
    .when(unfreeze(), close({ user: "carol", currency: "JPY" }), add("1.00", { related: 2n }));

const recordsOf = ({ ledger }: Story): JournalRecord[] => [...ledger.only.records.values()].toSorted((a, b) => Number(a.sequence - b.sequence));

/** Replays the records. Answers what the replay has against them, and what it made of them. */
function replayed(records: readonly JournalRecord[]) {
  const wallets = new Map<bigint, Wallet>();
  const holds = new Map<bigint, Hold>();
  const owners = new Map<string, bigint>();
  const mismatches = new Mismatches();
  const state = {
    wallet: (id: bigint) => wallets.get(id),
    hold: (id: bigint) => holds.get(id),
    claim({ walletId, userId, currency }: WalletIdentity) {
      const key = `${userId} ${currency}`;
      owners.set(key, owners.get(key) ?? walletId);
      return owners.get(key)!;
    },
    putWallet: (each: Wallet) => void wallets.set(each.walletId, each),
    putHold: (each: Hold) => void holds.set(each.holdId, each),
    putApart: () => expect.fail("a partition has no records apart where there is one"),
    claimMoved: () => expect.fail("no operation was born in another ledger"),
  };
  const replay = new JournalReplay({ partition: 0, sequence: 0n, hash: genesisHash, timeMs: startMs }, 1, state, mismatches);
  for (const record of records) replay.follow(record);
  replay.currencies.checkConservation(mismatches);
  return { wallets, holds, currencies: replay.currencies.totals(), mismatches: mismatches.kept };
}

/** The records with this one altered, and every hash from there on made right again: only the content is left to tell. */
function rewritten(records: readonly JournalRecord[], sequence: bigint, alter: (record: JournalRecord) => JournalRecord): JournalRecord[] {
  let hash = genesisHash;
  return records.map((record) => {
    const altered = record.sequence === sequence ? alter(record) : record;
    hash = recordHash(hash, altered);
    return { ...altered, hash };
  });
}

test("a replay makes the wallets, holds and counters that the ledger has, and has nothing against them", () => {
  const told = story();
  const { wallets, holds, currencies, mismatches } = replayed(recordsOf(told));
  expect(mismatches).toEqual([]);
  expect(wallets).toEqual(told.ledger.only.wallets);
  expect(holds).toEqual(told.ledger.only.holds);
  expect(currencies).toEqual([...told.ledger.only.currencyTotals.values()]);
});

test("a user's second wallet in one currency is told", () => {
  const opening = (user: string): JournalRecord => recordsOf(story()).find(({ opened }) => opened?.userId === user)!;
  const [first, second] = [opening("alice").walletId, opening("bob").walletId];
  const records = rewritten(recordsOf(story()), second, (record) => ({ ...record, opened: { ...record.opened!, userId: "alice" as UserId } }));
  expect(replayed(records).mismatches).toEqual([
    { subject: `operation ${second} (INIT): wallet ${second} (user alice, USD)`, expected: `no second wallet of this user and currency: operation ${first} opened wallet ${first}`, actual: "another wallet" },
  ]);
});

test("every number of every record is held against the ones before it, even where every hash was made right again", () => {
  const records = recordsOf(story());
  for (const { sequence, kind, receiver, hold: holdPart } of records) {
    const alterations: ((record: JournalRecord) => JournalRecord)[] = [
      (record) => ({ ...record, amountMinor: record.amountMinor + 1n }),
      (record) => ({ ...record, after: { ...record.after, availableMinor: record.after.availableMinor + 1n } }),
      (record) => ({ ...record, after: { ...record.after, heldMinor: record.after.heldMinor + 1n } }),
      (record) => ({ ...record, after: { ...record.after, version: record.after.version + 1n } }),
      (record) => ({ ...record, after: { ...record.after, state: record.after.state === "FROZEN" ? "ACTIVE" : "FROZEN" } }),
      (record) => ({ ...record, previousSequence: record.previousSequence + 1n }),
      (record) => ({ ...record, operationId: record.operationId + 1n }),
      (record) => ({ ...record, timeMs: record.timeMs - 1 }),
      (record) => ({ ...record, relatedOperationId: record.operationId }),
      ...(receiver === undefined ? [] : [(record: JournalRecord) => ({ ...record, receiver: { ...receiver, amountMinor: receiver.amountMinor + 1n } })]),
      ...(receiver === undefined ? [] : [(record: JournalRecord) => ({ ...record, receiver: { ...receiver, walletId: record.walletId } })]),
      ...(holdPart === undefined ? [] : [(record: JournalRecord) => ({ ...record, hold: { ...holdPart, capturedMinor: holdPart.capturedMinor + 1n } })]),
      ...(holdPart === undefined ? [] : [(record: JournalRecord) => ({ ...record, hold: { ...holdPart, holdId: 1n } })]),
      ...(holdPart === undefined ? [] : [(record: JournalRecord) => ({ ...record, hold: undefined })]),
    ];
    alterations.forEach((alter, index) => {
      const { mismatches } = replayed(rewritten(records, sequence, alter));
      // Another amount may be as good as the first; then the balance after it tells.
      expect(mismatches.length, `${kind} at ${sequence}, alteration ${index}`).toBeGreaterThan(0);
    });
  }
});

test("a wrong balance is told at its record and at the wallet's next one, and then no more", () => {
  const records = recordsOf(story());
  const { mismatches } = replayed(rewritten(records, 2n, (record) => ({ ...record, after: { ...record.after, availableMinor: 1n } })));
  expect(mismatches).toEqual([
    { subject: "operation 2 (ADD): wallet 1 (user alice, USD): available after", expected: "100.00", actual: "0.01" },
    { subject: "operation 6 (HOLD)", expected: "available money is never negative", actual: "a record that breaks this rule" },
    { subject: "operation 6 (HOLD): wallet 1 (user alice, USD): available after", expected: "-0.99", actual: "99.00" },
  ]);
});

test("operations on a wallet that was never opened are told once", () => {
  const records = recordsOf(story());
  const { mismatches } = replayed(records.slice(1));
  expect(mismatches.filter(({ expected }) => expected === "opened by an earlier operation")).toHaveLength(1);
  expect(mismatches[0]).toEqual({ subject: "operation 1", expected: "a record", actual: "none" });
});
