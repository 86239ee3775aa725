// How a request is recognised: the same whatever cannot matter, another one as soon as anything that was sent is another.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WalletCommand } from "../../../src/domain/command.ts";
import { fingerprint, keyHash } from "../../../src/domain/idempotency.ts";
import type { UserId } from "../../../src/domain/wallet.ts";
import { metadata } from "../../support/arbitrary.ts";
import { toCommand, type AskedOfWallet } from "../../support/asked.ts";
import { add, close, freeze, hold, init, limit, transfer, unfreeze, withdraw } from "../../support/given.ts";

const inOrder = (entries: Record<string, string>): string => JSON.stringify(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
const user = (text: string): UserId => text as UserId;
const printOf = (asked: AskedOfWallet): string => fingerprint(toCommand(asked) as WalletCommand);

describe("the same request", () => {
  test.each<[string, AskedOfWallet, AskedOfWallet]>([
    ["with other zeros", add("1.0"), add("1.00")],
    ["with zeros in front", add("1"), add("001.000")],
    ["with another key", add("1", { key: "a" }), add("1", { key: "b" })],
    ["with and without a key", add("1", { key: "a" }), add("1")],
    ["with validate_only", hold("1", { validateOnly: true }), hold("1")],
    ["with metadata in another order", add("1", { metadata: { a: "1", b: "2" } }), add("1", { metadata: { b: "2", a: "1" } })],
    ["with a limit in other words", init("USD", { balanceMax: "5" }), init("USD", { balanceMax: "5.00" })],
    ["with an empty reference, which the wire cannot tell from none", add("1", { reference: "" }), add("1")],
  ])("%s", (_, one, other) => expect(printOf(one)).toBe(printOf(other)));
});

test("no two of these are the same request", () => {
  const all: AskedOfWallet[] = [
    add("1"),
    add("10"),
    add("0.1"),
    add("1", { currency: "EUR" }),
    add("1", { currency: undefined }),
    add("1", { user: "bob" }),
    add("1", { related: 1n }),
    add("1", { related: 2n }),
    add("1", { expectedVersion: 1n }),
    add("1", { expectedVersion: 0n }),
    add("1", { reference: "a" }),
    add("1", { reference: "b" }),
    add("1", { reference: "null" }),
    add("1", { metadata: { a: "b" } }),
    add("1", { metadata: { a: "" } }),
    add("1", { metadata: { "": "a" } }),
    add("1", { metadata: { a: "", b: "" } }),
    hold("1"),
    hold("1", { periodMs: 0 }),
    hold("1", { periodMs: 600_000 }),
    hold("1", { currency: undefined }),
    init("USD"),
    init("EUR"),
    init("USD", { balanceMax: "0" }),
    init("USD", { balanceMax: "1" }),
    { type: "reverse", user: "alice", holdId: 1n },
    { type: "reverse", user: "alice", holdId: 2n },
    { type: "reverse", user: "bob", holdId: 1n },
    { type: "reverse", user: "alice", holdId: 2n ** 62n + 1n },
    { type: "capture", user: "alice", holdId: 1n, amount: "1" },
    { type: "capture", user: "alice", holdId: 1n, amount: "2" },
    { type: "capture", user: "alice", holdId: 2n, amount: "1" },
    { type: "capture", user: "alice", holdId: 1n, amount: "1", final: true },
    { type: "capture", user: "alice", holdId: 1n, amount: "1", to: "bob" },
    { type: "capture", user: "alice", holdId: 1n, amount: "1", to: "carol" },
    { type: "extend", user: "alice", holdId: 1n, periodMs: 1 },
    { type: "extend", user: "alice", holdId: 1n, periodMs: 2 },
    { type: "extend", user: "alice", holdId: 2n, periodMs: 1 },
    withdraw("1"),
    withdraw("2"),
    withdraw("1", { currency: undefined }),
    transfer("1", "bob"),
    transfer("1", "carol"),
    transfer("2", "bob"),
    transfer("1", "bob", { currency: undefined }),
    freeze(),
    freeze({ currency: undefined }),
    unfreeze(),
    close(),
    limit(undefined),
    limit("0"),
    limit("1"),
    limit("1", { currency: undefined }),
  ];
  expect(new Set(all.map(printOf))).toHaveLength(all.length);
});

test("metadata is told apart exactly where it differs, in whatever order it was sent", () => {
  fc.assert(
    fc.property(metadata, metadata, (one, other) => {
      expect(printOf(add("1", { metadata: Object.fromEntries(Object.entries(one).toReversed()) }))).toBe(printOf(add("1", { metadata: one })));
      expect(printOf(add("1", { metadata: one })) === printOf(add("1", { metadata: other }))).toBe(inOrder(one) === inOrder(other));
    }),
  );
});

test("fields count by their names, in whatever order a command has them, and absent ones not at all", () => {
  const command = toCommand(transfer("1", "bob", { metadata: { b: "2", a: "1" } })) as WalletCommand;
  const sorted = fingerprint(command);
  const fields = Object.entries(command);
  fc.assert(
    fc.property(fc.shuffledSubarray(fields, { minLength: fields.length }), fc.boolean(), (shuffled, hasMore) => {
      const other = Object.fromEntries(hasMore ? [...shuffled, ["aLaterField", undefined]] : shuffled) as unknown as WalletCommand;
      expect(fingerprint(other)).toBe(sorted);
      expect(fingerprint({ ...other, aLaterField: 1 } as unknown as WalletCommand)).not.toBe(sorted);
      expect(fingerprint({ ...other, identity: { keyHash: "0", fingerprint: "1" } })).toBe(sorted);
    }),
  );
});

test("is SHA-256 over the fields' names and values: fixed, since ledgers have it on disk", () => {
  const text = '[["amount",[["scale",2],["unscaled","1050"]]],["currency","EUR"],["metadata",[["a","1"],["b","2"]]],["reference","r"],["type","addMoney"],["userId","alice"]]';
  const command = toCommand(add("10.501", { currency: "EUR", reference: "r", metadata: { b: "2", a: "1" } })) as WalletCommand;
  const amount = { unscaled: 1050n, scale: 2 };
  expect(fingerprint({ ...command, amount } as WalletCommand)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 32));
});

test("metadata that is called as an amount's parts are is metadata", () => {
  const text = '[["metadata",[["scale","2"],["unscaled","1"]]],["type","addMoney"]]';
  expect(fingerprint({ type: "addMoney", metadata: { unscaled: "1", scale: "2" } } as unknown as WalletCommand)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 32));
});

test("writes each character as JSON does", () => {
  for (let code = 0; code <= 0xffff; code++) {
    const reference = `a${String.fromCharCode(code)}b`;
    const text = `[["reference",${JSON.stringify(reference)}],["type","addMoney"]]`;
    const printed = fingerprint({ type: "addMoney", reference } as WalletCommand);
    if (printed !== createHash("sha256").update(text).digest("hex").slice(0, 32)) expect.fail(`U+${code.toString(16)} is written in another form`);
  }
});

describe("a key's hash", () => {
  test("is 16 bytes in hex", () => expect(keyHash(user("alice"), "k")).toMatch(/^[0-9a-f]{32}$/));
  test("is SHA-256 over user, a zero byte and key: fixed, since ledgers have it on disk", () => {
    // printf 'alice\0k1' | sha256sum | cut -c 1-32
    expect(keyHash(user("alice"), "k1")).toBe("aa88580323c78c7b2ec8dc5b9259a664");
  });
  test("tells users apart", () => expect(keyHash(user("alice"), "k")).not.toBe(keyHash(user("Alice"), "k")));
  test("tells where the user ends", () => expect(keyHash(user("ab"), "c")).not.toBe(keyHash(user("a"), "bc")));
});
