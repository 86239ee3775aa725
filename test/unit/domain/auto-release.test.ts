// With automatic release nothing of a wallet is decided while it has an overdue hold.

import { expect, test } from "vitest";
import { releaseHoldsMax } from "../../../src/domain/command.ts";
import { toCommand } from "../../support/asked.ts";
import { add, capture, freeze, held, hold, init, minuteMs, reverse, Story, storyRules, transfer, wallet, withdraw, type Wish } from "../../support/given.ts";

const tenMinutes = 10 * minuteMs;

function sweeping(...before: Wish[]): Story {
  const story = new Story({ ...storyRules, autoRelease: true });
  for (const wish of before) story.when(wish).isGranted();
  return story;
}

test("money of an overdue hold may be spent at the millisecond at which it is overdue, and not before", () => {
  const story = sweeping(...wallet("5"), ...held("5"));
  story.afterMs(tenMinutes - 1).when(withdraw("5")).rejects("INSUFFICIENT_FUNDS");
  story.afterMs(1).when(withdraw("5")).applies({ available: "0.00", held: "0.00", version: 5n });
});

test("a capture or a reversal at the deadline finds the hold released", () => {
  for (const late of [capture("h", "1"), reverse("h")]) {
    const story = sweeping(...wallet("5"), hold("5", { as: "h" }));
    story.afterMs(tenMinutes).when(late);
    expect(story.answer).toMatchObject({ type: "rejected", rejection: { reason: "HOLD_NOT_ACTIVE", status: "RELEASED" } });
    story.leaves({ available: "5.00", held: "0.00" });
  }
});

test("releases made so stay made when the operation is rejected", () => {
  const story = sweeping(...wallet("5"), ...held("2"));
  story.afterMs(tenMinutes).when(withdraw("6"));
  expect(story.answer).toMatchObject({ type: "rejected" });
  story.leaves({ available: "5.00", held: "0.00", version: 4n });
});

test("a frozen wallet, and the receiver's of a transfer, are swept too", () => {
  const story = sweeping(...wallet("5"), ...held("2"), freeze(), ...wallet("3", { user: "bob" }));
  story.afterMs(tenMinutes).when(transfer("1", "alice", { user: "bob" })).applies({ available: "2.00" });
  story.leaves({ available: "6.00", held: "0.00" });
});

test("other wallets' overdue holds wait for their own turn", () => {
  const story = sweeping(...wallet("5"), ...held("2"), ...wallet("3", { user: "bob" }));
  story.afterMs(tenMinutes).when(withdraw("1", { user: "bob" })).applies();
  story.leaves({ available: "3.00", held: "2.00" });
});

test("thousands of overdue holds are released in bounded steps before the operation is decided", () => {
  const story = sweeping(...wallet("5000"), init("EUR"));
  for (let placed = 0; placed < 3; placed++) story.when(...Array.from({ length: 1000 }, () => hold("1")));
  story.afterMs(tenMinutes);
  const steps: number[] = [];
  const { fold } = story.ledger;
  story.ledger.fold = (changes) => {
    steps.push(...changes.map(({ records }) => records.length));
    fold.call(story.ledger, changes);
  };
  story.when(withdraw("5000")).applies({ available: "0.00", held: "0.00" });
  expect(steps).toEqual([releaseHoldsMax, releaseHoldsMax, releaseHoldsMax + 1]);
});

test("without it, the original's behaviour: a hold stays until somebody releases it", () => {
  const story = new Story(storyRules);
  for (const wish of [...wallet("5"), ...held("5")]) story.when(wish).isGranted();
  story.afterMs(tenMinutes).when(add("1")).applies({ available: "1.00", held: "5.00" });
  expect(story.ledger.execute([toCommand({ type: "release" })], story.machineTimeMs).answers).toMatchObject([{ type: "released", count: 1 }]);
});
