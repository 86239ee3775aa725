// A release of everybody's holds in a ledger with several partitions: one answer, never more than a thousand holds, and it knows whether more remain.

import { describe, expect, test } from "vitest";
import type { ReleasedAnswer } from "../../../src/domain/answer.ts";
import { releaseHoldsMax, type ReleaseHolds } from "../../../src/domain/command.ts";
import { releaseEverywhere } from "../../../src/ledger/release-everywhere.ts";
import { toCommand, type AskedRelease } from "../../support/asked.ts";
import { givenIn, hold, storyRules, wallet, type Story } from "../../support/given.ts";
import { pureStore } from "../../support/pure-store.ts";

/** Partitions 1, 0 and 7 of eight. */
const users = ["alice", "bob", "carol"] as const;

/** So many holds of a dollar, eligible at once, for each of the three. */
function holding(counts: readonly [number, number, number]): Story {
  const story = givenIn(8, ...users.map((user) => wallet("5000.00", { user })));
  users.forEach((user, index) => {
    const holds = Array.from({ length: counts[index]! }, () => hold("1.00", { user, periodMs: 0 }));
    if (holds.length > 0) story.when(...holds);
  });
  return story;
}

function releasing(story: Story, options: Omit<AskedRelease, "type"> = {}): { release: () => Promise<ReleasedAnswer>; touched: number[][] } {
  const store = pureStore(story.ledger, () => story.machineTimeMs);
  const command = toCommand({ type: "release", ...options }) as ReleaseHolds;
  return { release: () => releaseEverywhere(store, command, storyRules), touched: store.touched };
}

const dollars = (count: number) => [{ currency: "USD", exponent: 2, minor: BigInt(100 * count) }];
const released = (count: number, moreRemain: boolean): ReleasedAnswer => ({ type: "released", count, amounts: count === 0 ? [] : dollars(count), moreRemain });

describe("of everybody", () => {
  test("releases in every partition, each in a transaction of its own", async () => {
    const story = holding([3, 4, 5]);
    const { release, touched } = releasing(story);
    expect(await release()).toEqual(released(12, false));
    expect(touched).toEqual([[0], [1], [2], [3], [4], [5], [6], [7]]);
    for (const user of users) story.leaves({ available: "5000.00", held: "0.00" }, { user });
    expect(await release()).toEqual(released(0, false));
  });

  test("releases at most a thousand in all, and says exactly whether more remain", async () => {
    const { release } = releasing(holding([600, 500, 900]));
    expect(await release()).toEqual(released(releaseHoldsMax, true));
    expect(await release()).toEqual(released(1000, false));
    expect(await release()).toEqual(released(0, false));
  });

  test.each<[string, [number, number, number], boolean]>([
    ["a thousand, and none behind them", [400, 600, 0], false],
    ["a thousand in one partition, and one in a later one", [0, 1000, 1], true],
    ["a thousand and one in the last partition", [0, 0, 1001], true],
    ["a thousand in the last", [0, 0, 1000], false],
  ])("%s", async (_, counts, moreRemain) => expect(await releasing(holding(counts)).release()).toEqual(released(1000, moreRemain)));

  test("sums each currency over the partitions, in the currencies' order", async () => {
    const story = holding([1, 1, 0]);
    for (const user of ["alice", "bob"]) for (const each of wallet("9", { user, currency: "JPY" })) story.when(each).isGranted();
    story.when(hold("2", { currency: "JPY", periodMs: 0 }), hold("3", { user: "bob", currency: "JPY", periodMs: 0 }));
    expect((await releasing(story).release()).amounts).toEqual([{ currency: "JPY", exponent: 0, minor: 5n }, ...dollars(2)]);
    expect((await releasing(story, { currency: "USD" }).release()).count).toBe(0);
  });

  test("that is only to be validated answers the same and releases nothing", async () => {
    const story = holding([600, 500, 1]);
    const { release } = releasing(story, { validateOnly: true });
    expect([await release(), await release()]).toEqual([released(1000, true), released(1000, true)]);
    story.leaves({ held: "600.00" }).leaves({ held: "500.00" }, { user: "bob" });
  });
});

test("of one user touches that user's partition and no other", async () => {
  const story = holding([3, 4, 5]);
  const { release, touched } = releasing(story, { user: "carol" });
  expect(await release()).toEqual(released(5, false));
  expect(touched).toEqual([[7]]);
  story.leaves({ held: "3.00" }).leaves({ held: "0.00" }, { user: "carol" });
});
