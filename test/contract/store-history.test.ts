// What every engine's store promises about looking back: each wallet as of any place and any millisecond, as payer and as receiver, and its history link by link.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AppliedAnswer } from "../../src/domain/answer.ts";
import { birthplaceOf, type WalletAfter } from "../../src/domain/journal.ts";
import { recordsPerMark } from "../../src/store/history-marks.ts";
import type { Reads, WalletKey } from "../../src/store/store.ts";
import { contractEngines } from "../support/contract-engines.ts";
import { add, init, startMs, transfer } from "../support/given.ts";
import { alice, bob, journalOf } from "../support/journals.ts";
import { OpenedStore } from "../support/opened-store.ts";

/** More than two marks for either wallet. */
const transfers = 150;

interface Step {
  /** In the journal of the wallet's own partition. */
  readonly sequence: bigint;
  readonly timeMs: number;
  readonly after: WalletAfter;
}

describe.each(contractEngines)("$name", (engine) => {
  let opened: OpenedStore;
  let reads: Reads;
  /** What each wallet's operations were answered with, in order. */
  let told: Map<bigint, Step[]>;
  // Of eight partitions each of them has a journal of their own, with a record of every transfer; else they share one.
  const [alices, bobs] = [journalOf(alice, engine.partitions), journalOf(bob, engine.partitions)];
  const wallets = [
    { userId: alice, walletId: alices.idAt(1n) },
    { userId: bob, walletId: bobs.idAt(bobs.partition === alices.partition ? 2n : 1n) },
  ];
  const partitionOf = ({ walletId }: Pick<WalletKey, "walletId">): number => birthplaceOf(walletId).partition;

  // Once for all: they only look.
  beforeAll(async () => {
    opened = await OpenedStore.on(engine);
    told = new Map(wallets.map(({ walletId }) => [walletId, []]));
    // Places are counted here, journal by journal: of two records the answer says where the payer's is.
    const ends = new Map<number, bigint>();
    const keep = ({ record: { sequence, timeMs, receiver, ...payer } }: AppliedAnswer): void => {
      const parts = receiver === undefined ? [payer] : [payer, receiver];
      for (const partition of new Set(parts.map(partitionOf))) ends.set(partition, (ends.get(partition) ?? 0n) + 1n);
      for (const part of parts) told.get(part.walletId)!.push({ sequence: ends.get(partitionOf(part))!, timeMs, after: part.after });
      expect(sequence).toBe(ends.get(partitionOf(payer)));
    };
    const ask = async (...asked: Parameters<typeof opened.ask>): Promise<void> => (await opened.ask(...asked)).forEach((answer) => keep(answer as AppliedAnswer));
    await ask(init(), init("USD", { user: "bob" }), add("500"), add("1", { user: "bob" }), add("1", { user: "bob" }));
    // Three a batch, so that three have one time; alternately there and back, so that each wallet is as often the receiver.
    for (let count = 0; count < transfers; count += 3) {
      opened.machineTimeMs += 2;
      await ask(transfer("2", "bob"), transfer("1", "alice", { user: "bob" }), transfer("1", "bob"));
    }
    reads = await opened.reads();
  });
  afterAll(async () => {
    await reads.close();
    await opened.remove();
  });

  const asOf = ({ walletId }: WalletKey, isPast: (step: Step) => boolean): WalletAfter | undefined => told.get(walletId)!.findLast(isPast)?.after;

  test("a wallet directly after any place of the journal is what it was answered to be", async () => {
    for (const wallet of wallets) {
      const end = (await reads.head(partitionOf(wallet))).sequence;
      for (let sequence = 0n; sequence <= end; sequence++) {
        expect(await reads.walletAsOf(wallet, { sequence })).toEqual(asOf(wallet, (step) => step.sequence <= sequence));
      }
    }
  });

  test("a wallet as of any millisecond has all of that millisecond", async () => {
    for (const wallet of wallets) {
      for (let timeMs = startMs - 1; timeMs <= opened.machineTimeMs + 1; timeMs++) {
        expect(await reads.walletAsOf(wallet, { timeMs })).toEqual(asOf(wallet, (step) => step.timeMs <= timeMs));
      }
    }
  });

  test("a wallet's history is its own operations, whoever paid, back to its opening", async () => {
    for (const wallet of wallets) {
      const all = { startTimeMs: undefined, endTimeMs: undefined, kind: undefined, reference: undefined, continueAt: undefined };
      const page = await reads.operations({ wallet, ...all, max: 1000, lookedAtMax: 1000, notesMaxBytes: 1_000_000 });
      expect(page?.operations.map(({ record }) => record.sequence).toReversed()).toEqual(told.get(wallet.walletId)!.map(({ sequence }) => sequence));
      expect(page?.continueAt).toBeUndefined();
    }
  });

  test("forward it comes in steps of bounded size, without a gap", async () => {
    for (const wallet of wallets) {
      const sequences = told.get(wallet.walletId)!.map(({ sequence }) => sequence);
      const found: bigint[] = [];
      for (;;) {
        const step = await reads.operationsForward(wallet, { after: found.at(-1) ?? 0n, upTo: sequences.at(-1)! });
        if (step.length === 0) break;
        expect(step.length).toBeLessThanOrEqual(Number(recordsPerMark));
        found.push(...step.map(({ record }) => record.sequence));
      }
      expect(found).toEqual(sequences);
    }
  });

  // Ledgers are full of marks at this distance: a version that wrote others would search past the ones that are there.
  test("every 64th operation on a wallet has a mark, and no other", async () => {
    const marked = wallets.flatMap((wallet) =>
      told.get(wallet.walletId)!.filter(({ after }) => after.version % 64n === 0n).map(({ sequence }) => ({ partition: BigInt(partitionOf(wallet)), wallet_id: wallet.walletId, sequence })),
    );
    expect(marked.length).toBe(4);
    expect((await opened.place.dump())["history_marks"]).toEqual(marked.toSorted((a, b) => Number(a.wallet_id - b.wallet_id)));
  });
});
