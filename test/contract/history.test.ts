// What every engine's reads tell of the past: balances at any point, pages and periods of a wallet's history, and lists of holds, against the whole journal.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Hold, HoldStatus } from "../../src/domain/hold.ts";
import { birthplaceOf, partOf, partsHere, type JournalRecord, type OperationKind, type WalletAfter } from "../../src/domain/journal.ts";
import type { CurrencyCode, UserId, Wallet, WalletName } from "../../src/domain/wallet.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import type { HistoryQuery, HoldPlace, HoldQuery, Reads, RecordedOperation, Store, WalletKey } from "../../src/store/store.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { contractEngines } from "../support/contract-engines.ts";
import type { LedgerPlace } from "../support/engines.ts";
import { minuteMs, startMs, storyRules } from "../support/given.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";

const users = ["ann", "bob", "cid"];

describe.each(contractEngines)("$name", (engine) => {
  let place: LedgerPlace;
  let store: Store;
  let executor: Executor;
  let reads: Reads;
  let machineTimeMs: number;
  let journal: JournalRecord[];
  let holds: Map<bigint, { hold: Hold; user: string; currency: string }>;
  let random: (below: number) => number;

  const pick = <T>(values: readonly T[]): T => values[random(values.length)]!;
  const ask = async (...batch: Asked[]): Promise<void> => {
    const releases = batch.filter(({ type }) => type === "release").map((release) => [release]);
    for (const each of [batch.filter(({ type }) => type !== "release"), ...releases]) {
      for (const answer of await executor.execute(each.map(toCommand))) if (answer.type === "applied") journal.push(answer.record);
    }
  };

  /** Many operations on few wallets, several in a millisecond, in both directions between two of them. */
  const play = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      machineTimeMs += pick([0, 0, 1, 7]);
      await ask(...Array.from({ length: pick([1, 3, 9]) }, randomAsked));
    }
  };

  /** Reads the whole journal, and each of its holds as it is now. */
  const remember = async (): Promise<void> => {
    journal = await wholeJournal();
    for (const [holdId, known] of holds) holds.set(holdId, { ...known, hold: (await reads.hold(known.user as UserId, holdId))!.hold });
    for (const { kind, operationId, walletId } of journal) {
      if (kind !== "HOLD" || holds.has(operationId)) continue;
      const found = (await reads.hold((await reads.operation(operationId))!.wallet.userId, operationId))!;
      holds.set(operationId, { hold: found.hold, user: found.wallet.userId, currency: found.wallet.currency });
      expect(found.wallet.walletId).toBe(walletId);
    }
  };

  const randomAsked = (): Asked => {
    const user = pick(users);
    const currency = pick(["USD", "EUR"]);
    const placed = journal.filter(({ kind }) => kind === "HOLD");
    const amount = pick(["1", "2", "3.50"]);
    const reference = pick(["", "", "r1", "r2"]);
    switch (pick(["add", "add", "hold", "hold", "transfer", "transfer", "reverse", "capture", "release"] as const)) {
      case "add":
        return { type: "add", user, currency, amount, reference };
      case "hold":
        return { type: "hold", user, currency, amount: "1", periodMs: pick([1, minuteMs, 2 * minuteMs]), reference };
      case "transfer":
        return { type: "transfer", user, currency, amount: "1", to: pick(users), reference };
      case "reverse":
        return placed.length === 0 ? { type: "release" } : { type: "reverse", user, holdId: pick(placed).operationId };
      case "capture":
        return placed.length === 0 ? { type: "release" } : { type: "capture", user, holdId: pick(placed).operationId, amount: "0.40", to: pick(users), final: pick([true, false]) };
      case "release":
        return { type: "release", user };
    }
  };

  /** Of every partition, in its order. Releases are told as counts; the journal itself has their records. */
  const wholeJournal = async (): Promise<JournalRecord[]> => {
    const partitions = Array.from({ length: reads.partitionCount }, (_, partition) => reads.operationsAfter(partition, 0n, 10_000));
    return (await Promise.all(partitions)).flat().map(({ record }) => record);
  };

  const ofWallet = (records: readonly JournalRecord[], { walletId }: WalletKey): JournalRecord[] => records.filter((record) => partsHere(record).some((part) => part.walletId === walletId));
  const besideWallet = ({ walletId }: WalletKey): JournalRecord[] => journal.filter(({ partition }) => partition === birthplaceOf(walletId).partition);
  const wallets = async (): Promise<Wallet[]> => (await Promise.all(users.map((user) => reads.wallets(user as UserId, undefined)))).flat();
  const sequencesOf = (operations: readonly RecordedOperation[]): bigint[] => operations.map(({ record }) => record.sequence);

  // One history for all tests, which only look: it takes longer to write than to read. Whoever goes on with it says so by remembering it anew.
  beforeAll(async () => {
    random = randomNumbers(20_260_101);
    machineTimeMs = startMs;
    journal = [];
    holds = new Map();
    place = await engine.open();
    store = await place.openStore(() => machineTimeMs);
    executor = executorOn(store, storyRules);
    reads = await place.openReads(() => machineTimeMs);
    for (const user of users) await ask({ type: "init", user, currency: "USD" }, { type: "init", user, currency: "EUR" }, { type: "add", user, currency: "USD", amount: "1000" });
    await ask(...users.map((user): Asked => ({ type: "add", user, currency: "EUR", amount: "1000" })));
    await play(300);
    await remember();
  });
  afterAll(async () => {
    await reads.close();
    await store.close();
    await place.remove();
  });

  test("a balance as of every operation and every time is the journal's", async () => {
    expect(journal.length).toBeGreaterThan(800);
    for (const wallet of await wallets()) {
      const history = ofWallet(journal, wallet);
      expect(history.length).toBeGreaterThan(128);
      const afterAt = (isIncluded: (record: JournalRecord) => boolean): WalletAfter | undefined => {
        const last = history.findLast(isIncluded);
        return last && partOf(last, wallet.walletId).after;
      };
      await eightAtATime(besideWallet(wallet), async ({ sequence }) => expect(await reads.walletAsOf(wallet, { sequence })).toEqual(afterAt((record) => record.sequence <= sequence)));
      const times = Array.from({ length: machineTimeMs - startMs + 3 }, (_, index) => startMs - 1 + index);
      await eightAtATime(times, async (timeMs) => expect(await reads.walletAsOf(wallet, { timeMs })).toEqual(afterAt((record) => record.timeMs <= timeMs)));
    }
  });

  const unfiltered = { startTimeMs: undefined, endTimeMs: undefined, kind: undefined, reference: undefined, lookedAtMax: 1_000, notesMaxBytes: 1_000_000 };

  /** Every page, with sizes that change, while operations go on. */
  const pages = async (query: Omit<HistoryQuery, "max" | "continueAt">, between: () => Promise<void>): Promise<RecordedOperation[]> => {
    const all: RecordedOperation[] = [];
    let continueAt: bigint | undefined;
    do {
      const page = (await reads.operations({ ...query, max: pick([1, 2, 7, 50]), continueAt }))!;
      all.push(...page.operations);
      continueAt = page.continueAt;
      await between();
    } while (continueAt !== undefined);
    return all;
  };

  test("pages of a history are complete and in order while operations go on", async () => {
    for (const wallet of await wallets()) {
      const before = ofWallet(await wholeJournal(), wallet).map(({ sequence }) => sequence);
      expect(sequencesOf(await pages({ ...unfiltered, wallet }, () => ask(randomAsked(), randomAsked())))).toEqual(before.toReversed());
    }
    await remember();
  });

  test("filters and bounds of a history leave out what they say, and nothing else", async () => {
    for (const wallet of await wallets()) {
      for (let round = 0; round < 12; round++) {
        const [startTimeMs, endTimeMs] = [pick([undefined, startMs + 50, startMs + 100]), pick([undefined, startMs + 100, startMs + 200, machineTimeMs + 1])];
        const kind = pick<OperationKind | undefined>([undefined, "ADD", "TRANSFER", "CAPTURE", "CLOSE"]);
        const reference = pick([undefined, "r1"]);
        const expected = ofWallet(journal, wallet).filter(
          (record) =>
            (kind === undefined || record.kind === kind) &&
            (reference === undefined || record.reference === reference) &&
            (startTimeMs === undefined || record.timeMs >= startTimeMs) &&
            (endTimeMs === undefined || record.timeMs < endTimeMs),
        );
        const bounds = pick([{ lookedAtMax: 5 }, { notesMaxBytes: 0 }, {}]);
        const found = await pages({ ...unfiltered, wallet, startTimeMs, endTimeMs, kind, reference, ...bounds }, async () => {});
        expect(sequencesOf(found)).toEqual(expected.map(({ sequence }) => sequence).toReversed());
      }
    }
  });

  test("an operation is told with both of its wallets and its hold, whoever's history it is in", async () => {
    const name = ({ walletId, userId, currency, exponent }: WalletName): WalletName => ({ walletId, userId, currency, exponent });
    const [wallet] = await wallets();
    for (const told of (await reads.operations({ ...unfiltered, wallet: wallet!, max: 1_000, continueAt: undefined }))!.operations) {
      const operation = (await reads.operation(told.record.operationId))!;
      if (told.record.apart?.side !== "RECEIVER") expect(told).toEqual(operation);
      expect([name(told.wallet), told.receiver && name(told.receiver)]).toEqual([name(operation.wallet), operation.receiver && name(operation.receiver)]);
    }
  });

  test("a place that is not of this history, or later than its end, is none", async () => {
    const [wallet] = await wallets();
    const query = { ...unfiltered, wallet: wallet!, max: 1 };
    const isOurs = new Set(ofWallet(journal, wallet!).map(({ sequence }) => sequence));
    for (let continueAt = 1n; continueAt <= BigInt(journal.length + 2); continueAt++) {
      expect((await reads.operations({ ...query, continueAt })) !== undefined).toBe(isOurs.has(continueAt));
    }
    const last = ofWallet(journal, wallet!).at(-1)!;
    expect(await reads.operations({ ...query, endTimeMs: last.timeMs, continueAt: last.sequence })).toBeUndefined();
    for (const continueAt of [2n ** 63n - 1n, -(2n ** 63n), 0n]) expect((await reads.operations({ ...query, continueAt }))?.operations ?? []).toEqual([]);
  });

  test("a period's operations come oldest first between its balances", async () => {
    for (const wallet of await wallets()) {
      for (const [startTimeMs, endTimeMs] of [[undefined, undefined], [startMs + 60, undefined], [undefined, startMs + 60], [startMs + 60, startMs + 160], [startMs, startMs], [machineTimeMs + 1, undefined], [undefined, startMs - 1]]) {
        const history = ofWallet(journal, wallet);
        const inPeriod = history.filter(({ timeMs }) => timeMs >= (startTimeMs ?? 0) && timeMs < (endTimeMs ?? Infinity));
        const before = history.findLast(({ timeMs }) => timeMs < Math.min(startTimeMs ?? 0, endTimeMs ?? Infinity));
        const { after, upTo, opening, closing } = await reads.period(wallet, { startTimeMs, endTimeMs });
        const told: RecordedOperation[] = [];
        for (let at = after; at < upTo; at = told.at(-1)!.record.sequence) {
          const next = await reads.operationsForward(wallet, { after: at, upTo });
          expect(next.length).toBeGreaterThan(0);
          expect(next.length).toBeLessThanOrEqual(64);
          told.push(...next);
        }
        const last = inPeriod.at(-1) ?? before;
        expect(sequencesOf(told)).toEqual(inPeriod.map(({ sequence }) => sequence));
        expect(opening).toEqual(before && partOf(before, wallet.walletId).after);
        expect(closing).toEqual(last && partOf(last, wallet.walletId).after);
      }
    }
  });

  describe("lists of holds", () => {
    const everything = { userId: undefined, currency: undefined, status: undefined, eligibleAtMs: undefined, lookedAtMax: 1_000 };

    const list = async (query: Omit<HoldQuery, "max" | "continueAt">): Promise<bigint[]> => {
      const ids: bigint[] = [];
      let continueAt: HoldPlace | undefined;
      do {
        const page = (await reads.holds({ ...query, max: pick([1, 3, 20]), continueAt }))!;
        ids.push(...page.holds.map(({ hold, wallet }) => (expect(hold.walletId).toBe(wallet.walletId), hold.holdId)));
        continueAt = page.continueAt;
      } while (continueAt !== undefined);
      return ids;
    };

    test.each<HoldStatus | undefined>([undefined, "ACTIVE", "RELEASED", "REVERSED", "CAPTURED"])("%s: complete, in order and nothing twice, by user and currency", async (status) => {
      for (const userId of [undefined, "ann" as UserId, "cid" as UserId, "nobody" as UserId]) {
        for (const currency of [undefined, "EUR" as CurrencyCode, "XAU" as CurrencyCode]) {
          for (const lookedAtMax of [4, 1_000]) {
            const expected = [...holds.values()].filter(
              (each) => (userId === undefined || each.user === userId) && (currency === undefined || each.currency === currency) && (status === undefined || each.hold.status === status),
            );
            const inOrder = expected.map(({ hold }) => hold).toSorted((a, b) => {
              if (status === "ACTIVE") return a.eligibleTimeMs - b.eligibleTimeMs || Number(a.holdId - b.holdId);
              const first = userId === undefined ? birthplaceOf(a.holdId).partition - birthplaceOf(b.holdId).partition : Number(a.walletId - b.walletId);
              return first || Number(b.holdId - a.holdId);
            });
            expect(await list({ ...everything, userId, currency, status, lookedAtMax })).toEqual(inOrder.map(({ holdId }) => holdId));
          }
        }
      }
      expect(status === undefined || [...holds.values()].some(({ hold }) => hold.status === status)).toBe(true);
    });

    test("eligible ones are the active ones whose time has come", async () => {
      const eligibleAtMs = machineTimeMs + minuteMs;
      const active = await list({ ...everything, status: "ACTIVE" });
      const eligible = await list({ ...everything, status: "ACTIVE", eligibleAtMs });
      expect(eligible).toEqual(active.filter((holdId) => holds.get(holdId)!.hold.eligibleTimeMs <= eligibleAtMs));
      expect(eligible.length).toBeGreaterThan(0);
      expect(eligible.length).toBeLessThan(active.length);
    });

    test("a place in somebody else's list is none", async () => {
      const annsAndOthers = [...holds.values()];
      for (const { hold, user } of annsAndOthers) {
        const page = await reads.holds({ ...everything, userId: "ann" as UserId, max: 1, continueAt: { holdId: hold.holdId } });
        expect(page !== undefined).toBe(user === "ann");
      }
      expect(await reads.holds({ ...everything, userId: "ann" as UserId, max: 1, continueAt: { holdId: 2n ** 63n - 1n } })).toBeUndefined();
    });
  });

  test("marks are every 64th record of a wallet, on either side of an operation", async () => {
    const parts = journal.flatMap((record) => partsHere(record).map((part) => ({ record, part })));
    const expected = parts.filter(({ part }) => part.after.version % 64n === 0n).map(({ record, part }) => ({ partition: BigInt(record.partition), wallet_id: part.walletId, sequence: record.sequence }));
    expect(expected.length).toBeGreaterThan(6);
    const text = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value))).toSorted();
    expect(text((await place.dump())["history_marks"]!)).toEqual(text(expected));
  });
});

/** PostgreSQL has so many connections to read by; further reads would wait for one, and not for long. */
async function eightAtATime<T>(all: readonly T[], look: (each: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += 8) await Promise.all(all.slice(at, at + 8).map(look));
}
