// The checker of the books can be trusted: it finds nothing wrong with a real ledger, and each of these corruptions in a copy of it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Asked } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { tamperedLedger, type TamperedLedger } from "../support/corrupted-books.ts";
import { add, hold, init, release } from "../support/given.ts";

let ledger: TamperedLedger;

/** Openings, additions, holds and their ends, two users, two currencies, keys of applied and of rejected requests; one batch a line, a minute between them. */
const history: readonly (readonly Asked[])[] = [
  [init("USD", { key: "open" }), init("EUR"), init("USD", { user: "bob", balanceMax: "1000" })], // 1, 2, 3
  [add("100", { key: "salary", reference: "May", metadata: { from: "work" } }), add("50", { user: "bob", key: "salary" }), add("10", { currency: "EUR" })], // 4, 5, 6
  [hold("30", { key: "rent" }), hold("20", { periodMs: 0 }), hold("5", { user: "bob" }), hold("1000", { key: "car" })], // 7, 8, 9
  [{ type: "reverse", user: "alice", holdId: 7n, key: "no rent" }], // 10
  [release()], // 11 releases 8
  [add("1", { related: 4n, key: "young" })], // 12
];

beforeAll(async () => {
  ledger = await tamperedLedger(history, { refused: ["car"] });
});
afterAll(() => ledger.remove());

test("a real ledger has no problems", () => {
  expect(checkBooks(ledger.path)).toEqual({ operations: 12, problems: [] });
  expect(ledger.problemsAfter(() => {})).toEqual([]);
  expect(ledger.problemsAfterResealing(() => {})).toEqual([]);
});

describe("what is kept beside the journal", () => {
  test.each<[string, string, RegExp]>([
    ["available money was made", "update wallets set available_minor = available_minor + 1 where wallet_id = 1", /wallets 1: available_minor is 8?10101/],
    ["money moved between two wallets", "update wallets set available_minor = available_minor + case wallet_id when 1 then 1 else -1 end where currency = 'USD'", /wallets 3: available_minor/],
    ["money was made in some wallet", "update wallets set available_minor = available_minor + 1 where wallet_id = 1", /USD: all wallets together have 151.01, and 151 came in and did not go out/],
    ["available turned into held", "update wallets set available_minor = available_minor - 1, held_minor = held_minor + 1 where wallet_id = 1", /wallets 1: holds 1, its active holds 0/],
    ["a wallet vanished", "delete from wallets where wallet_id = 2", /wallets 2: is missing/],
    ["a wallet out of nothing", "insert into wallets select partition, 99, 'eve', currency, exponent, create_time_ms, 0, 0, state, version, null, head_sequence, update_time_ms, x'', 0 from wallets where wallet_id = 2", /wallets 99: is not in the journal/],
    ["another owner", "update wallets set user_id = 'eve' where wallet_id = 2", /wallets 2: user_id is eve/],
    ["other decimals", "update wallets set exponent = 3 where wallet_id = 2", /wallets 2: exponent is 3/],
    ["a limit taken away", "update wallets set balance_max_minor = null where wallet_id = 3", /wallets 3: balance_max_minor is null/],
    ["another version", "update wallets set version = version + 1 where wallet_id = 3", /wallets 3: version/],
    ["another state", "update wallets set state = 2 where wallet_id = 3", /wallets 3: state is 2/],
    ["a history that begins elsewhere", "update wallets set head_sequence = 5 where wallet_id = 3", /wallets 3: head_sequence is 5/],
    ["another time of change", "update wallets set update_time_ms = update_time_ms + 1 where wallet_id = 3", /wallets 3: update_time_ms/],
    ["a wallet's counters", "update wallets set totals = x'010164' where wallet_id = 3", /wallets 3: totals is 010164/],
    ["a currency's counters", "update currency_totals set totals = x'010164' where currency = 'EUR'", /currency_totals EUR:2: are 010164/],
    ["a currency's counters lost", "delete from currency_totals where currency = 'EUR'", /currency_totals EUR:2: are , the journal says 0101e807/],
    ["counters of a currency that nobody has", "insert into currency_totals values (0, 'JPY', 0, x'010164')", /currency_totals JPY:0/],
    ["a hold that is active again", "update holds set status = 1, resolve_time_ms = null where hold_id = 7", /holds 7: status is 1, the journal says 3/],
    ["a hold of another amount", "update holds set amount_minor = 501 where hold_id = 9", /wallets 3: holds 500, its active holds 501/],
    ["a hold that is eligible earlier", "update holds set eligible_time_ms = eligible_time_ms - 1 where hold_id = 9", /holds 9: eligible_time_ms/],
    ["a hold lost", "delete from holds where hold_id = 9", /holds 9: is missing/],
    ["a hold of another currency", "update holds set currency = 'EUR' where hold_id = 9", /holds 9: currency is EUR/],
    ["a hold linked to another", "update holds set previous_hold_id = 0 where hold_id = 8", /holds 8: previous_hold_id is 0, the journal says 7/],
    ["holds that begin elsewhere", "update wallets set last_hold_id = 7 where wallet_id = 1", /wallets 1: last_hold_id is 7, the journal says 8/],
    ["a resolved hold lost", "delete from holds where hold_id = 8", /holds 8: is missing/],
    ["a hold resolved at another time", "update holds set resolve_time_ms = resolve_time_ms + 1 where hold_id = 8", /holds 8: resolve_time_ms/],
    ["a hold given to another wallet", "update holds set wallet_id = 1 where hold_id = 9", /holds 9: wallet_id is 1/],
    ["the head behind its journal", "update ledger_head set sequence = 11", /ledger_head 0: says 11, the journal ends with 12/],
    ["the head with another hash", "update ledger_head set hash = zeroblob(32)", /ledger_head 0: does not have the last record's hash/],
    ["the ledger's clock set back", "update ledger_head set time_ms = time_ms - 1", /ledger_head 0: is at/],
    ["the head lost", "delete from ledger_head", /ledger_head 0: is missing/],
    ["rows of a partition that is none", "insert into ledger_head (partition, sequence, hash, time_ms, key_ordinal) values (1, 0, zeroblob(32), 0, 0)", /ledger_head: has rows of partition 1/],
  ])("%s", (_, sql, problem) => expect(ledger.problemsAfter((db) => void db.exec(sql))).toContainEqual(expect.stringMatching(problem)));
});

const ofSequence = (sequence: number): string => `where sequence = ${sequence}`;

describe("remembered keys", () => {
  test.each<[string, string, RegExp]>([
    ["pointing at another operation", `update idempotency_keys set sequence = 6 ${ofSequence(4)}`, /points at operation 6, and the last with its key is 4/],
    ["pointing at nothing", `update idempotency_keys set sequence = 99 ${ofSequence(4)}`, /points at operation 99/],
    ["changed", `update idempotency_keys set key_hash = zeroblob(16) ${ofSequence(4)}`, /points at operation 4, and no operation has its key/],
    ["lost before their time", `delete from idempotency_keys ${ofSequence(12)}`, /journal 0\/12: its key is not remembered any more/],
    ["turned into a rejection", `update idempotency_keys set sequence = null, rejection = '{"reason":"WALLET_NOT_FOUND"}' ${ofSequence(4)}`, /remembers a rejection, and an operation has its key/],
    ["with neither outcome", `update idempotency_keys set sequence = null ${ofSequence(4)}`, /remembers either an operation or a rejection/],
    ["with both outcomes", `update idempotency_keys set rejection = '{"reason":"WALLET_NOT_FOUND"}' ${ofSequence(4)}`, /remembers either an operation or a rejection/],
    ["with a rejection that is never remembered", `update idempotency_keys set rejection = '{"reason":"VERSION_MISMATCH"}' where rejection is not null`, /which is no rejection that is remembered/],
    ["with a rejection that is no JSON", `update idempotency_keys set rejection = '{' where rejection is not null`, /which is no rejection that is remembered/],
    ["of another time", `update idempotency_keys set time_ms = time_ms - 1 ${ofSequence(4)}`, /is of \d+, and its operation of \d+/],
    ["out of order", `update idempotency_keys set ordinal = 1000 ${ofSequence(4)}`, /is out of its order/],
    ["with half a fingerprint", `update idempotency_keys set fingerprint = x'00' ${ofSequence(4)}`, /does not have hashes of 16 bytes/],
  ])("%s", (_, sql, problem) => expect(ledger.problemsAfter((db) => void db.exec(sql))).toContainEqual(expect.stringMatching(problem)));
});

describe("a change of the journal breaks the chain, in whatever column", () => {
  const changes = {
    operation_id: "operation_id + 100",
    kind: "kind % 5 + 1",
    wallet_id: "wallet_id + 1",
    amount_minor: "amount_minor + 1",
    available_after_minor: "available_after_minor + 1",
    held_after_minor: "held_after_minor + 1",
    state_after: "2",
    version_after: "version_after + 1",
    balance_max_after_minor: "5",
    previous_sequence: "previous_sequence + 1",
    time_ms: "time_ms + 1",
    hold_id: "hold_id + 1",
    hold_status_after: "4",
    hold_captured_after_minor: "1",
    hold_eligible_time_ms: "hold_eligible_time_ms + 1",
    opened_user_id: "'eve'",
    opened_currency: "'EUR'",
    opened_exponent: "3",
    related_operation_id: "1",
    key_hash: "zeroblob(16)",
    reference: "'June'",
    metadata: `'{"from":"theft"}'`,
    hash: "zeroblob(32)",
  };
  test.each(Object.entries(changes))("%s", (column, value) => {
    const sequence = column.startsWith("opened") ? 3 : column.startsWith("hold") ? 9 : 4;
    const problems = ledger.problemsAfter((db) => void db.exec(`update journal set ${column} = ${value} where sequence = ${sequence}`));
    expect(problems).toContainEqual(expect.stringMatching(`journal 0/${column === "hash" ? "[45]" : sequence}: does not have the hash`));
  });

  test("a record lost from the middle", () => {
    expect(ledger.problemsAfter((db) => void db.exec("delete from journal where sequence = 6"))).toContainEqual(expect.stringMatching(/journal 0\/7: follows 5/));
  });
  test("the last record lost", () => {
    expect(ledger.problemsAfter((db) => void db.exec("delete from journal where sequence = 12"))).toContainEqual(expect.stringMatching(/ledger_head 0: says 12, the journal ends with 11/));
  });
});

describe("a change of the journal that was sealed anew contradicts the rest", () => {
  test.each<[string, string, RegExp]>([
    ["another amount", "update journal set amount_minor = 10001 where sequence = 4", /journal 0\/4: has available_after_minor 10000, recomputed 10001/],
    ["another balance", "update journal set available_after_minor = 10001 where sequence = 4", /journal 0\/4: has available_after_minor 10001, recomputed 10000/],
    ["another held balance", "update journal set held_after_minor = 1 where sequence = 9", /journal 0\/9: has held_after_minor 1, recomputed 500/],
    ["another version", "update journal set version_after = 9 where sequence = 4", /journal 0\/4: has version_after 9, recomputed 2/],
    ["another state", "update journal set state_after = 2 where sequence = 4", /journal 0\/4: has state_after 2/],
    ["another link", "update journal set previous_sequence = 3 where sequence = 4", /journal 0\/4: has previous_sequence 3, recomputed 1/],
    ["another id", "update journal set operation_id = 40 where sequence = 4", /journal 0\/4: has id 40/],
    ["a time that goes back", "update journal set time_ms = time_ms - 200000 where sequence = 9", /journal 0\/9: is at \d+, before its predecessor's/],
    ["a limit that was passed", "update journal set balance_max_after_minor = 4999 where wallet_id = 3", /journal 0\/5: takes the wallet beyond its limit/],
    ["a hold of more than there was", "update journal set amount_minor = 100000 where sequence = 9", /journal 0\/9: leaves the wallet with -95000 available/],
    ["a release too early", "update journal set hold_eligible_time_ms = hold_eligible_time_ms + 1000000 where hold_id = 8", /journal 0\/11: releases hold 8 before it was eligible/],
    ["a hold resolved twice", "update journal set hold_id = 7, hold_eligible_time_ms = (select hold_eligible_time_ms from journal where sequence = 7) where sequence = 11", /journal 0\/11: changes hold 7, which was resolved/],
    ["a hold of somebody else resolved", "update journal set hold_id = 9 where sequence = 11", /journal 0\/11: changes hold 9 of another wallet/],
    ["a hold that was never placed", "update journal set hold_id = 6 where sequence = 11", /journal 0\/11: changes hold 6, which was never placed/],
    ["half a hold given back", "update journal set amount_minor = 1000 where sequence = 11", /journal 0\/11: gives back 1000 of hold 8, of which 2000 remained/],
    ["a wallet that was never opened", "update journal set wallet_id = 6 where sequence = 4", /journal 0\/4: is about wallet 6, which was never opened/],
    ["a kind that means nothing", "update journal set kind = 77 where sequence = 4", /journal 0\/4: has kind 77/],
    ["an operation of the future", "update journal set related_operation_id = 13 where sequence = 12", /journal 0\/12: is related to operation 13, which was not there/],
    ["an addition of nothing", "update journal set amount_minor = 0 where sequence = 4", /journal 0\/4: moves 0/],
    ["another owner", "update journal set opened_user_id = 'eve' where sequence = 2", /wallets 2: user_id is alice, the journal says eve/],
    ["another key", "update journal set key_hash = zeroblob(16) where sequence = 4", /points at operation 4, and no operation has its key/],
  ])("%s", (_, sql, problem) => {
    const problems = ledger.problemsAfterResealing((db) => void db.exec(sql));
    expect(problems).toContainEqual(expect.stringMatching(problem));
    expect(problems).not.toContainEqual(expect.stringMatching(/does not have the hash/));
  });
});

test("an index that does not fit its table", () => {
  const problems = ledger.problemsAfter((db) => {
    db.unsafeMode();
    db.pragma("writable_schema = on");
    db.exec("update sqlite_schema set sql = replace(sql, 'status = 1', 'status = 2') where name = 'active_holds_by_currency'");
  });
  expect(problems).toContainEqual(expect.stringMatching(/^file: /));
});

test("a file that is no ledger is not called sound", () => {
  const folder = mkdtempSync(join(tmpdir(), "wallet-books-"));
  const path = join(folder, "other.db");
  new Database(path).exec("create table ledger (partitions integer, create_time_ms integer)").close();
  expect(() => checkBooks(path)).toThrow(/has 0 rows in "ledger"/);
  rmSync(folder, { recursive: true });
});

test("no more problems are told than a person reads", () => {
  const problems = ledger.problemsAfter((db) => {
    const insert = db.prepare("insert into currency_totals values (0, ?, 0, x'010164')");
    for (let index = 0; index < 1000; index++) insert.run(`A${index}`);
  });
  expect(problems).toHaveLength(200);
});
