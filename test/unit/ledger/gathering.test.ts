// Batches of several doors in one transaction: each is answered as if it had been alone.

import { expect, test } from "vitest";
import type { Answer } from "../../../src/domain/answer.ts";
import type { Command, WalletCommand } from "../../../src/domain/command.ts";
import type { Executor } from "../../../src/ledger/executor.ts";
import { gathering } from "../../../src/ledger/gathering.ts";
import { StoreFault } from "../../../src/store/store.ts";
import { toCommand } from "../../support/asked.ts";
import { add, release } from "../../support/given.ts";

/** Answers each command with its reference; what `fails` says of the commands is thrown. */
function recording(fails: (commands: readonly Command[]) => Error | undefined = () => undefined): { executor: Executor; executed: string[][] } {
  const executed: string[][] = [];
  const executor: Executor = {
    async execute(commands) {
      executed.push(commands.map(nameOf));
      const error = fails(commands);
      if (error !== undefined) throw error;
      return commands.map((command) => nameOf(command) as unknown as Answer);
    },
    close: async () => void executed.push(["close"]),
  };
  return { executor, executed };
}

const nameOf = (command: Command): string => ("reference" in command ? command.reference : command.type);
const named = (...references: string[]): Command[] => references.map((reference) => toCommand(add("1", { reference })));
const batchOf = (...references: string[]): Command => ({ type: "executeBatch", items: named(...references) as WalletCommand[], atomic: false });

test("what arrives before the writer is free is decided together, and everybody gets their own answers", async () => {
  const { executor, executed } = recording();
  const shared = gathering(executor, 10);
  expect(await Promise.all([shared.execute(named("a", "b")), shared.execute(named("c")), shared.execute(named("d", "e"))])).toEqual([["a", "b"], ["c"], ["d", "e"]]);
  expect(executed).toEqual([["a", "b", "c", "d", "e"]]);
});

test("as many operations share a transaction as may; a batch that is larger goes by itself", async () => {
  const { executor, executed } = recording();
  const shared = gathering(executor, 3);
  await Promise.all([named("a", "b"), named("c"), named("d"), [batchOf("1", "2", "3", "4")], named("e", "f", "g"), named("h")].map((commands) => shared.execute(commands)));
  expect(executed).toEqual([["a", "b", "c"], ["d"], ["executeBatch"], ["e", "f", "g"], ["h"]]);
});

test("two batches of one door go one after the other", async () => {
  const { executor, executed } = recording();
  const shared = gathering(executor, 10);
  const [one, other] = [{}, {}];
  await Promise.all(([["a", one], ["b", other], ["c", one], ["d", one], ["e", other]] as const).map(([name, door]) => shared.execute(named(name), door)));
  expect(executed).toEqual([["a", "b"], ["c"], ["d", "e"]]);
});

test("a release goes alone", async () => {
  const { executor, executed } = recording();
  const shared = gathering(executor, 10);
  await Promise.all([named("a"), [toCommand(release())], named("b"), named("c")].map((commands) => shared.execute(commands)));
  expect(executed).toEqual([["a"], ["releaseHolds"], ["b", "c"]]);
});

test("a fault of the database is everybody's", async () => {
  const { executor, executed } = recording(() => new StoreFault("unavailable", "full"));
  const shared = gathering(executor, 10);
  const outcomes = await Promise.allSettled([shared.execute(named("a")), shared.execute(named("b"))]);
  expect(outcomes).toMatchObject([{ status: "rejected", reason: { kind: "unavailable" } }, { status: "rejected", reason: { kind: "unavailable" } }]);
  expect(executed).toEqual([["a", "b"]]);
});

test("a defect is only the one's that has it", async () => {
  const { executor, executed } = recording((commands) => (commands.some((command) => nameOf(command) === "bad") ? new TypeError("bad") : undefined));
  const shared = gathering(executor, 10);
  const outcomes = await Promise.allSettled([shared.execute(named("a")), shared.execute(named("bad")), shared.execute(named("b"))]);
  expect(outcomes).toMatchObject([{ value: ["a"] }, { reason: { message: "bad" } }, { value: ["b"] }]);
  expect(executed).toEqual([["a", "bad", "b"], ["a"], ["bad"], ["b"]]);
});

test("who has more overdue holds than a transaction releases has nobody else wait", async () => {
  const { executor, executed } = recording();
  const sweeping: Executor = {
    ...executor,
    async execute(commands) {
      const answers = await executor.execute(commands);
      return commands.some((command) => nameOf(command) === "overdue") ? commands.map(() => ({ type: "notYet" })) : answers;
    },
  };
  const shared = gathering(sweeping, 10);
  expect(await Promise.all([named("a", "b"), named("overdue"), named("c")].map((commands) => shared.execute(commands)))).toEqual([["a", "b"], [{ type: "notYet" }], ["c"]]);
  expect(executed).toEqual([["a", "b", "overdue", "c"], ["a", "b"], ["overdue"], ["c"]]);
});

test("closing waits for what has arrived", async () => {
  const { executor, executed } = recording();
  const shared = gathering(executor, 10);
  const answers = shared.execute(named("a"));
  await shared.close();
  expect(await answers).toEqual(["a"]);
  expect(executed).toEqual([["a"], ["close"]]);
});
