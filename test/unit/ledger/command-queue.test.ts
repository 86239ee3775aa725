// The queue: bounds, turns, callers that gave up, and one bad command that must not fail its neighbours.

import { describe, expect, test } from "vitest";
import type { Answer } from "../../../src/domain/answer.ts";
import type { Command, WalletCommand } from "../../../src/domain/command.ts";
import type { UserId } from "../../../src/domain/wallet.ts";
import { CommandQueue, QueueClosed, QueueFull } from "../../../src/ledger/command-queue.ts";
import { PartitionLanes } from "../../../src/ledger/partition-lanes.ts";
import { StoreFault } from "../../../src/store/store.ts";

const release = (userId: string): Command => ({ type: "releaseHolds", userId: userId as UserId, currency: undefined, validateOnly: false });
const reverse = (userId: string): Command => ({
  type: "reverseHold",
  userId: userId as UserId,
  holdId: 1n,
  idempotencyKey: undefined,
  reference: "",
  metadata: {},
  expectedVersion: undefined,
  validateOnly: false,
});
const batchOf = (userId: string, length: number): Command => ({ type: "executeBatch", atomic: false, items: Array.from({ length }, () => reverse(userId) as WalletCommand) });
const userOf = (command: Command): string => (command.type === "executeBatch" ? command.items[0]!.userId : (command.userId ?? ""));
const done: Answer = { type: "released", count: 0, amounts: [], moreRemain: false };

/** An executor that notes what it is given, and fails where it is told to. */
function executor(fail: (batch: readonly Command[]) => Error | undefined = () => undefined) {
  const batches: string[][] = [];
  return {
    batches,
    execute: async (commands: readonly Command[]) => {
      batches.push(commands.map(userOf));
      await new Promise(setImmediate);
      const error = fail(commands);
      if (error !== undefined) throw error;
      return commands.map(() => done);
    },
    close: async () => {},
  };
}
const limits = { queueLengthMax: 8, batchLengthMax: 4 };

describe("the queue", () => {
  test("what arrives together goes together, at most a batch at a time", async () => {
    const inner = executor();
    const queue = new CommandQueue(inner, limits);
    await Promise.all(["a", "b", "c", "d", "e", "f"].map((user) => queue.submit(reverse(user))));
    expect(inner.batches).toEqual([["a", "b", "c", "d"], ["e", "f"]]);
  });

  test("many that arrive together are two batches, so that some are answered while others are written", async () => {
    const inner = executor();
    const queue = new CommandQueue(inner, { queueLengthMax: 100, batchLengthMax: 100 });
    await Promise.all(Array.from("abcdefghi", (user) => queue.submit(reverse(user))));
    expect(inner.batches).toEqual([Array.from("abcde"), Array.from("fghi")]);
  });

  test("few that arrive while many are under way wait for more, or for the end of those", async () => {
    const [batches, end]: [string[][], PromiseWithResolvers<void>] = [[], Promise.withResolvers()];
    const inner = {
      async execute(commands: readonly Command[]) {
        batches.push(commands.map(userOf));
        await end.promise;
        return commands.map(() => done);
      },
    };
    const queue = new CommandQueue(inner, { queueLengthMax: 100, batchLengthMax: 100 });
    const submitted = Array.from("abcdefg", (user) => queue.submit(reverse(user)));
    for (const user of "xyz") {
      await new Promise(setImmediate);
      submitted.push(queue.submit(reverse(user)));
    }
    await new Promise(setImmediate);
    expect(batches).toEqual([Array.from("abcdefg")]);
    submitted.push(queue.submit(reverse("!")));
    await new Promise(setImmediate);
    expect(batches).toEqual([Array.from("abcdefg"), Array.from("xyz!")]);
    end.resolve();
    await Promise.all(submitted);
  });

  test("a release goes alone, in its turn", async () => {
    const inner = executor();
    const queue = new CommandQueue(inner, limits);
    await Promise.all([reverse("a"), release("b"), reverse("c")].map((command) => queue.submit(command)));
    expect(inner.batches).toEqual([["a"], ["b"], ["c"]]);
  });

  test("one more than it may hold is turned away, and the others are answered", async () => {
    const queue = new CommandQueue(executor(), limits);
    const accepted = Array.from({ length: 8 }, () => queue.submit(reverse("a")));
    await expect(queue.submit(reverse("b"))).rejects.toThrow(QueueFull);
    expect(await Promise.all(accepted)).toHaveLength(8);
    expect(await queue.submit(reverse("b"))).toEqual(done);
  });

  test("a batch counts as many as it brings: it fills a commit, and the queue", async () => {
    const inner = executor();
    const queue = new CommandQueue(inner, limits);
    const accepted = [reverse("a"), batchOf("b", 3), batchOf("c", 3)].map((command) => queue.submit(command));
    await expect(queue.submit(batchOf("d", 2))).rejects.toThrow(QueueFull);
    accepted.push(queue.submit(reverse("e")));
    await Promise.all(accepted);
    expect(inner.batches).toEqual([["a", "b"], ["c", "e"]]);
  });

  test("a batch larger than a commit, and than the queue, goes when there is nothing else", async () => {
    const inner = executor();
    const queue = new CommandQueue(inner, limits);
    const accepted = queue.submit(batchOf("a", 9));
    await expect(queue.submit(reverse("b"))).rejects.toThrow(QueueFull);
    await accepted;
    await new Promise(setImmediate);
    await Promise.all([reverse("c"), reverse("d")].map((command) => queue.submit(command)));
    expect(inner.batches).toEqual([["a"], ["c", "d"]]);
  });

  test("what is not decided yet goes by itself, and then to the end of the queue, so that nobody waits for its sweep", async () => {
    const order: string[] = [];
    let steps = 0;
    const inner = {
      ...executor(),
      execute: async (commands: readonly Command[]): Promise<readonly Answer[]> => {
        await new Promise(setImmediate);
        const isSweep = commands.some((command) => userOf(command) === "long") && steps < 3;
        if (isSweep) steps++;
        return commands.map(() => (isSweep ? { type: "notYet" } : done));
      },
    };
    const queue = new CommandQueue(inner, { ...limits, batchLengthMax: 2 });
    await Promise.all(["long", "a", "b", "c"].map(async (user) => (await queue.submit(reverse(user)), order.push(user))));
    expect(order.at(-1)).toBe("long");
    expect(steps).toBe(3);
  });

  test("while one waits for its sweep, the others go on sharing their commits", async () => {
    const batches: string[][] = [];
    let steps = 0;
    const inner = {
      ...executor(),
      execute: async (commands: readonly Command[]): Promise<readonly Answer[]> => {
        batches.push(commands.map(userOf));
        await new Promise(setImmediate);
        const isSweep = commands.some((command) => userOf(command) === "long") && steps++ < 6;
        return commands.map(() => (isSweep ? { type: "notYet" } : done));
      },
    };
    const queue = new CommandQueue(inner, limits);
    const swept = queue.submit(reverse("long"));
    for (let round = 0; round < 3; round++) await Promise.all(["a", "b", "c"].map((user) => queue.submit(reverse(user))));
    await swept;
    const together = batches.filter((batch) => batch.length > 1);
    // They share one with it until it is known what it waits for.
    expect(together).toEqual([["long", "a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"]]);
    expect(batches.slice(1).filter((batch) => batch.includes("long")).every((batch) => batch.length === 1)).toBe(true);
  });

  test("what is not decided yet when the queue is closed is turned away: nothing of it was done", async () => {
    const endless = { ...executor(), execute: async (commands: readonly Command[]): Promise<readonly Answer[]> => (await new Promise(setImmediate), commands.map(() => ({ type: "notYet" }))) };
    const queue = new CommandQueue(endless, limits);
    const swept = queue.submit(reverse("long"));
    const refused = expect(swept).rejects.toThrow(QueueClosed);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await queue.close();
    await refused;
  });

  test("a caller that gave up before its turn is never executed", async () => {
    const inner = executor();
    const queue = new CommandQueue(inner, limits);
    const controller = new AbortController();
    const given = queue.submit(reverse("a"), controller.signal);
    controller.abort(new Error("gave up"));
    await expect(given).rejects.toThrow("gave up");
    expect(inner.batches).toEqual([]);
  });

  test("a defect fails the command that has it, and its neighbours are answered", async () => {
    const inner = executor((batch) => (batch.some((command) => userOf(command) === "bad") ? new Error("defect") : undefined));
    const queue = new CommandQueue(inner, limits);
    const outcomes = await Promise.allSettled(["a", "bad", "b"].map((user) => queue.submit(reverse(user))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(inner.batches).toEqual([["a", "bad", "b"], ["a"], ["bad"], ["b"]]);
  });

  test("a fault of the database fails all of its batch, which is not tried again", async () => {
    const inner = executor(() => new StoreFault("unavailable", "disk full"));
    const queue = new CommandQueue(inner, limits);
    const outcomes = await Promise.allSettled(["a", "b"].map((user) => queue.submit(reverse(user))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
    expect(inner.batches).toEqual([["a", "b"]]);
  });

  describe("where a partition cannot be had", () => {
    const partitionOf = (command: Command): number => Number(userOf(command).at(-1));

    /** A queue whose batches fail where they have users whose names begin so; the fault names these partitions. */
    function queueOn(partitions: readonly number[], gone = "gone", onFirst = (): void => {}): { readonly queue: CommandQueue; readonly batches: readonly string[][] } {
      const inner = executor((batch) => {
        if (inner.batches.length === 1) onFirst();
        return batch.some((command) => userOf(command).startsWith(gone)) ? new StoreFault("unavailable", "somebody keeps it", { partitions }) : undefined;
      });
      const dispatch = new PartitionLanes({ partitionCount: 4, batchesMax: 2, partitionsABatchMax: 4, batchLengthMin: 64, behindLengthMin: 64, batchLengthMax: 64 });
      return { queue: new CommandQueue(inner, limits, { dispatch, partitionsOf: (command) => [partitionOf(command)] }), batches: inner.batches };
    }
    const outcomesOf = async (queue: CommandQueue, users: readonly string[]): Promise<readonly string[]> =>
      (await Promise.allSettled(users.map((user) => queue.submit(reverse(user))))).map(({ status }) => status);

    test("what touches the others is answered all the same, and the next time at once", async () => {
      const { queue, batches } = queueOn([1]);
      expect(await outcomesOf(queue, ["a0", "gone1", "b2", "gone1", "c0"])).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
      expect(batches).toEqual([["a0", "gone1", "b2", "gone1", "c0"], ["gone1", "gone1"], ["a0", "b2", "c0"]]);
      expect(await outcomesOf(queue, ["a0", "gone1", "b2"])).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(batches.slice(3)).toEqual([["gone1"], ["a0", "b2"]]);
    });

    test("the others go before whoever came meanwhile", async () => {
      const { queue, batches } = queueOn([1], "gone", () => void queue.submit(reverse("late0")));
      expect(await outcomesOf(queue, ["a0", "gone1", "b2"])).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(batches).toEqual([["a0", "gone1", "b2"], ["gone1"], ["a0", "b2", "late0"]]);
    });

    test("and nobody knows which, each is tried apart", async () => {
      const { queue, batches } = queueOn([0, 1, 2]);
      expect(await outcomesOf(queue, ["a0", "gone1", "b2", "gone1", "c0"])).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
      expect(batches).toEqual([["a0", "gone1", "b2", "gone1", "c0"], ["a0", "c0"], ["gone1", "gone1"], ["b2"]]);
    });

    test("a queue that is closed meanwhile ends when all are answered", async () => {
      const { queue } = queueOn([1]);
      let settled = 0;
      const outcomes = ["a0", "gone1", "b2"].map((user) => queue.submit(reverse(user)).then(() => "answered", () => "refused").finally(() => settled++));
      await queue.close();
      // Whoever is answered with the last one hears of it in the same turn.
      await new Promise(setImmediate);
      expect(settled).toBe(3);
      expect(await Promise.all(outcomes)).toEqual(["answered", "refused", "answered"]);
    });
  });

  test("once closed it takes nothing more and ends when all are answered, however often it is closed", async () => {
    const queue = new CommandQueue(executor(), limits);
    const accepted = queue.submit(reverse("a"));
    const closings = [queue.close(), queue.close()];
    await expect(queue.submit(reverse("b"))).rejects.toThrow(QueueClosed);
    expect(await accepted).toEqual(done);
    await Promise.all(closings);
    await queue.close();
  });
});
