// Several operations in one call: in order, each its own outcome, and with `atomic` all or none.

import { describe, expect, test } from "vitest";
import type { BatchAnswer, RejectedAnswer } from "../../../src/domain/answer.ts";
import type { WalletCommand } from "../../../src/domain/command.ts";
import { toCommand, type AskedOfWallet } from "../../support/asked.ts";
import { add, close, given, hold, hourMs, init, startMs, transfer, wallet, withdraw, type Story } from "../../support/given.ts";

/** One batch of these, at this time of the machine's clock. */
function execute(story: Story, asked: readonly AskedOfWallet[], { atomic = false, nowMs = startMs } = {}): BatchAnswer | RejectedAnswer {
  const items = asked.map((each) => toCommand(each) as WalletCommand);
  const { answers } = story.ledger.execute([{ type: "executeBatch", items, atomic }], nowMs);
  return answers[0] as BatchAnswer | RejectedAnswer;
}

/** What became of each item: the balance after it, or why not. */
function outcomes(answer: BatchAnswer | RejectedAnswer): readonly string[] {
  if (answer.type === "rejected") throw new Error(answer.rejection.reason);
  return answer.results.map((result) => (result.type === "rejected" ? result.rejection.reason : `${result.after.availableMinor}/${result.after.heldMinor}${result.replayed ? " again" : ""}`));
}

describe("a batch", () => {
  test("is decided in order, later items seeing earlier ones, each with its own outcome", () => {
    const story = given(wallet("0"));
    const answer = execute(story, [withdraw("1"), add("5"), withdraw("1"), hold("2"), init("EUR"), add("3", { currency: "EUR" }), withdraw("9")]);
    expect(outcomes(answer)).toEqual(["INSUFFICIENT_FUNDS", "500/0", "400/0", "200/200", "0/0", "300/0", "INSUFFICIENT_FUNDS"]);
    story.leaves({ available: "2.00", held: "2.00" });
  });

  test("says which hold an item placed", () => {
    const answer = execute(given(wallet("5")), [hold("1")]) as BatchAnswer;
    expect(answer.results).toMatchObject([{ operationId: 3n, holdId: 3n }]);
  });

  test("with the same key twice does it once", () => {
    const story = given(wallet("0"));
    expect(outcomes(execute(story, [add("1", { key: "k" }), add("1", { key: "k" }), add("2", { key: "k" })]))).toEqual(["100/0", "100/0 again", "IDEMPOTENCY_KEY_REUSED"]);
    story.leaves({ available: "1.00" });
  });

  test("sent again answers as before, rejections too, whatever has happened since", () => {
    const story = given(wallet("0"));
    const asked = [withdraw("1", { key: "a" }), add("5", { key: "b" }), withdraw("1", { key: "c" })];
    expect(outcomes(execute(story, asked))).toEqual(["INSUFFICIENT_FUNDS", "500/0", "400/0"]);
    story.when(add("100")).applies();
    expect(outcomes(execute(story, asked))).toEqual(["INSUFFICIENT_FUNDS", "500/0 again", "400/0 again"]);
    story.leaves({ available: "104.00" });
  });
});

describe("an atomic batch", () => {
  const asked = [add("5", { key: "a" }), transfer("7", "bob", { key: "b" }), add("1")];

  test("that succeeds is done whole", () => {
    const story = given(wallet("2"), wallet("0", { user: "bob" }));
    expect(outcomes(execute(story, asked, { atomic: true }))).toEqual(["700/0", "0/0", "100/0"]);
    story.leaves({ available: "1.00" }).leaves({ available: "7.00" }, { user: "bob" });
    expect(outcomes(execute(story, asked.slice(0, 2), { atomic: true }))).toEqual(["700/0 again", "0/0 again"]);
  });

  test("that is aborted leaves nothing but what its keys remember, and names the item and why", () => {
    const story = given(wallet("1"), wallet("0", { user: "bob" }));
    const standing = (): unknown => ({ head: story.ledger.only.head.sequence, wallets: [...story.ledger.only.wallets.values()], records: [...story.ledger.only.records.keys()] });
    const before = standing();
    const answer = execute(story, asked, { atomic: true });
    expect(answer).toMatchObject({ type: "rejected", replayed: false, rejection: { reason: "BATCH_ABORTED", index: 1, cause: { reason: "INSUFFICIENT_FUNDS" } } });
    expect(standing()).toEqual(before);
    expect(story.ledger.only.keys.size).toBe(2);
  });

  test("that was aborted is aborted again, in the same words, also after a top-up", () => {
    const story = given(wallet("1"), wallet("0", { user: "bob" }));
    const first = execute(story, asked, { atomic: true }) as RejectedAnswer;
    story.when(add("100")).applies();
    expect(execute(story, asked, { atomic: true })).toEqual({ ...first, replayed: true });
    // An item by itself was told no with the rest.
    story.when(asked[0]!).answer satisfies unknown;
    expect(story.answer).toEqual({ ...first, replayed: true });
    story.leaves({ available: "101.00" });
  });

  test("tells other users' keys which item it was and why, and none of its facts", () => {
    const story = given(wallet("1"), wallet("0", { user: "bob" }));
    const mixed = [add("5", { key: "a" }), withdraw("2", { user: "bob", key: "b" })];
    const first = execute(story, mixed, { atomic: true }) as RejectedAnswer;
    expect(first.rejection).toMatchObject({ causeReason: "INSUFFICIENT_FUNDS", cause: { available: { minor: 0n } } });
    story.when(mixed[0]!);
    expect(story.answer).toEqual({ type: "rejected", replayed: true, rejection: { ...first.rejection, cause: undefined } });
    // Whoever sent the whole batch is told again all that it was told.
    expect(execute(story, mixed, { atomic: true })).toEqual({ ...first, replayed: true });
  });

  test("lets keys that were applied before it replay, and they survive it", () => {
    const story = given(wallet("1"), wallet("0", { user: "bob" }));
    story.when(asked[0]!).applies({ available: "6.00" });
    expect(execute(story, asked, { atomic: true })).toMatchObject({ rejection: { reason: "BATCH_ABORTED", index: 1 } });
    story.when(asked[0]!).replays().leaves({ available: "6.00" });
  });

  test("is aborted by an item of another batch that was aborted, and says so", () => {
    const story = given(wallet("1"), wallet("0", { user: "bob" }));
    execute(story, asked, { atomic: true });
    const other = execute(story, [add("3", { key: "c" }), asked[0]!], { atomic: true });
    expect(other).toMatchObject({ replayed: false, rejection: { index: 1, causeReason: "INSUFFICIENT_FUNDS", cause: { reason: "INSUFFICIENT_FUNDS" } } });
  });

  test("is never aborted by more than one rejection, however long the chain of batches that share keys", () => {
    const story = given(wallet("1"));
    execute(story, [withdraw("9", { key: "k0" })], { atomic: true });
    let last: BatchAnswer | RejectedAnswer | undefined;
    for (let link = 1; link <= 100; link++) last = execute(story, [add("1", { key: `fresh${link}` }), link === 1 ? withdraw("9", { key: "k0" }) : add("1", { key: `k${link - 1}` }), add("1", { key: `k${link}` })], { atomic: true });
    expect(last).toMatchObject({ rejection: { index: 1, causeReason: "INSUFFICIENT_FUNDS", cause: { reason: "INSUFFICIENT_FUNDS" } } });
    expect(JSON.stringify([...story.ledger.only.keys.values()].at(-1), (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)).length).toBeLessThan(1_000);
  });

  test("that was aborted answers so again before anything of it is decided, keys or not", () => {
    const story = given(wallet("1"), wallet("0", { user: "carl" }));
    const mixed = [add("1", { user: "carl" }), withdraw("9", { key: "w" })];
    const first = execute(story, mixed, { atomic: true });
    story.when(close({ user: "carl" })).applies();
    expect(execute(story, mixed, { atomic: true })).toEqual({ ...first, replayed: true });
  });

  test("may be tried anew under its keys when their retention is over", () => {
    const story = given(wallet("1"), wallet("0", { user: "bob" }));
    execute(story, asked, { atomic: true });
    expect(outcomes(execute(story, [add("5", { key: "a" })], { atomic: true, nowMs: startMs + hourMs }))).toEqual(["600/0"]);
  });

  test("undoes what it did with a wallet that it opened itself", () => {
    const story = given();
    expect(execute(story, [init(), add("1"), withdraw("2")], { atomic: true })).toMatchObject({ rejection: { index: 2 } });
    expect(story.ledger.only.wallets.size).toBe(0);
    story.when(init()).applies({ version: 1n });
  });

  test("leaves what shares its transaction as it was decided", () => {
    const story = given(wallet("1"));
    const failing = { type: "executeBatch", atomic: true, items: [add("5"), withdraw("9")].map((each) => toCommand(each) as WalletCommand) } as const;
    const { answers } = story.ledger.execute([toCommand(add("1", { key: "x" })), failing, toCommand(withdraw("2"))], startMs);
    expect(answers.map(({ type }) => type)).toEqual(["applied", "rejected", "applied"]);
    story.leaves({ available: "0.00", version: 4n });
    story.when(add("1", { key: "x" })).answer satisfies unknown;
    expect(story.answer).toMatchObject({ type: "applied", replayed: true });
  });
});
