// The checker of the books sees lies about captures, withdrawals, transfers, states and limits, and about the wallets that receive.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { currencyRegistry } from "../../src/domain/currency.ts";
import type { Asked } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { tamperedLedger, type TamperedLedger } from "../support/corrupted-books.ts";
import { add, close, freeze, hold, init, limit, minuteMs, storyRules, transfer, unfreeze, withdraw } from "../support/given.ts";

let ledger: TamperedLedger;

const capture = (holdId: bigint, amount: string, options: { to?: string; final?: boolean; key?: string } = {}): Asked => ({ type: "capture", user: "alice", holdId, amount, ...options });

/** Every kind of movement, one batch a line, a minute between them. */
const history: readonly (readonly Asked[])[] = [
  [init(), init("USD", { user: "bob", balanceMax: "100" }), init("EUR"), init("USD", { user: "carol" })], // 1, 2, 3, 4
  [add("200"), hold("50"), hold("40"), hold("30"), hold("20")], // 5; holds 6 to 9
  [capture(6n, "20"), capture(6n, "30", { key: "all of it" })], // 10, 11: 6 is captured in two parts
  [capture(7n, "15", { to: "bob" }), capture(7n, "5", { final: true })], // 12, 13: 20.00 of 7 return
  [{ type: "extend", user: "alice", holdId: 8n, periodMs: 60 * minuteMs }], // 14
  [capture(8n, "10"), { type: "reverse", user: "alice", holdId: 8n }], // 15, 16: 20.00 of 8 return
  [withdraw("5"), transfer("7", "bob", { key: "gift" })], // 17, 18
  [limit("1000"), freeze(), add("1"), unfreeze()], // 19, 20, 21, 22
  [close({ currency: "EUR" })], // 23
  [transfer("2", "alice", { user: "bob" }), capture(9n, "1")], // 24, 25: 19.00 of 9 remain held
];

beforeAll(async () => {
  ledger = await tamperedLedger(history);
});
afterAll(() => ledger.remove());

test("a real ledger has no problems", () => {
  expect(checkBooks(ledger.path)).toEqual({ operations: 25, problems: [] });
  expect(ledger.problemsAfterResealing(() => {})).toEqual([]);
});

describe("what is kept beside the journal", () => {
  test.each<[string, string, RegExp]>([
    ["a receiver's money", "update wallets set available_minor = available_minor + 1 where wallet_id = 2", /wallets 2: available_minor is 2001, the journal says 2000/],
    ["money that left is there again", "update wallets set available_minor = available_minor + 500 where wallet_id = 1", /USD: all wallets together have 135, and 130 came in and did not go out/],
    ["a receiver's version", "update wallets set version = version - 1 where wallet_id = 2", /wallets 2: version is 3, the journal says 4/],
    ["a receiver's history begins before what it received", "update wallets set head_sequence = 18 where wallet_id = 2", /wallets 2: head_sequence is 18, the journal says 24/],
    ["a receiver's time of change", "update wallets set update_time_ms = update_time_ms - 1 where wallet_id = 2", /wallets 2: update_time_ms/],
    ["a closed wallet that is open again", "update wallets set state = 1 where wallet_id = 3", /wallets 3: state is 1, the journal says 3/],
    ["an active wallet that is frozen", "update wallets set state = 2 where wallet_id = 1", /wallets 1: state is 2, the journal says 1/],
    ["a limit that was never set", "update wallets set balance_max_minor = 99999 where wallet_id = 1", /wallets 1: balance_max_minor is 99999, the journal says 100000/],
    ["more captured of a hold", "update holds set captured_minor = captured_minor + 1 where hold_id = 9", /holds 9: captured_minor is 101, the journal says 100/],
    ["less captured of a hold that ended", "update holds set captured_minor = captured_minor - 1 where hold_id = 7", /holds 7: captured_minor is 1999, the journal says 2000/],
    ["a captured hold that is active again", "update holds set status = 1, resolve_time_ms = null where hold_id = 7", /wallets 1: holds 1900, its active holds 3900/],
    ["a captured hold that was released", "update holds set status = 2 where hold_id = 6", /holds 6: status is 2, the journal says 4/],
    ["a capture at another time", "update holds set resolve_time_ms = resolve_time_ms + 1 where hold_id = 6", /holds 6: resolve_time_ms/],
    ["an extension that was forgotten", `update holds set eligible_time_ms = create_time_ms + ${10 * minuteMs} where hold_id = 8`, /holds 8: eligible_time_ms/],
    ["a hold that is missing from its wallet's list", "update holds set previous_hold_id = 6 where hold_id = 8", /holds 8: previous_hold_id is 6, the journal says 7/],
    ["a list of holds that begins too late", "update wallets set last_hold_id = 8 where wallet_id = 1", /wallets 1: last_hold_id is 8, the journal says 9/],
    ["a list of holds where there is none", "update wallets set last_hold_id = 9 where wallet_id = 2", /wallets 2: last_hold_id is 9, the journal says 0/],
    // bob's: 1 transfer out of 2.00, and 2 in of 15.00 and 7.00.
    ["what a receiver counted", "update wallets set totals = x'0901c8010a01dc0b' where wallet_id = 2", /wallets 2: totals is 0901c8010a01dc0b, the journal says 0901c8010a029811/],
    ["what a payer counted", "update wallets set totals = x'' where wallet_id = 1", /wallets 1: totals is , the journal says 01/],
    ["what a currency counted", "update currency_totals set totals = x'01029d9d01'", /currency_totals USD:2: are 01029d9d01/],
  ])("%s", (_, sql, problem) => expect(ledger.problemsAfter((db) => void db.exec(sql))).toContainEqual(expect.stringMatching(problem)));
});

describe("a change of what the journal says of a receiver breaks the chain, in whatever column", () => {
  const columns = ["wallet_id", "amount_minor", "available_after_minor", "held_after_minor", "state_after", "version_after", "balance_max_after_minor", "previous_sequence"];
  test.each(columns.map((column) => `receiver_${column}`))("%s", (column) => {
    const changed = (to: string): string[] => ledger.problemsAfter((db) => void db.exec(`update journal set ${column} = ${to} where sequence = 18`));
    expect(changed(`${column} + 1`)).toContainEqual(expect.stringMatching("journal 0/18: does not have the hash"));
    expect(changed("null")).toContainEqual(expect.stringMatching("journal 0/18: does not have the hash"));
  });
});

const journal = (sequence: number, change: string): string => `update journal set ${change} where sequence = ${sequence}`;
const noReceiver = ["wallet_id", "amount_minor", "available_after_minor", "held_after_minor", "state_after", "version_after", "balance_max_after_minor", "previous_sequence"]
  .map((column) => `receiver_${column} = null`)
  .join(", ");

describe("a change of the journal that was sealed anew contradicts the rest", () => {
  test.each<[string, string, RegExp]>([
    ["a receiver's balance", journal(18, "receiver_available_after_minor = 2201"), /0\/18: has receiver_available_after_minor 2201, recomputed 2200/],
    ["a receiver's held money", journal(18, "receiver_held_after_minor = 1"), /0\/18: has receiver_held_after_minor 1, recomputed 0/],
    ["a receiver's state", journal(18, "receiver_state_after = 2"), /0\/18: has receiver_state_after 2, recomputed 1/],
    ["a receiver's version", journal(18, "receiver_version_after = 9"), /0\/18: has receiver_version_after 9, recomputed 3/],
    ["a receiver's limit", journal(18, "receiver_balance_max_after_minor = null"), /0\/18: has receiver_balance_max_after_minor null, recomputed 10000/],
    ["a receiver's link", journal(18, "receiver_previous_sequence = 2"), /0\/18: has receiver_previous_sequence 2, recomputed 12/],
    ["a link to what was received", journal(24, "previous_sequence = 12"), /0\/24: has previous_sequence 12, recomputed 18/],
    ["more received than paid", journal(18, "receiver_amount_minor = 701"), /0\/18: takes 700 and gives 701/],
    ["another receiver", journal(18, "receiver_wallet_id = 4"), /wallets 4: available_minor is 0, the journal says 700/],
    ["a receiver that was never opened", journal(18, "receiver_wallet_id = 99"), /0\/18: pays wallet 99, which was never opened/],
    ["a receiver of another currency", journal(18, "receiver_wallet_id = 3"), /0\/18: pays USD into a wallet of EUR/],
    ["a wallet that pays itself", journal(18, "receiver_wallet_id = 1"), /0\/18: pays the wallet that pays/],
    ["half a receiver", journal(18, "receiver_version_after = null"), /0\/18: says half of what happens to a receiver/],
    ["a receiver's limit and no receiver", journal(17, "receiver_balance_max_after_minor = 5"), /0\/17: says half of what happens to a receiver/],
    ["a transfer to nobody", journal(18, noReceiver), /0\/18: transfers to nobody/],
    ["a withdrawal to somebody", journal(18, "kind = 7"), /0\/18: has a receiver and pays nobody/],
    ["a capture into a wallet that left the ledger", journal(12, noReceiver), /USD: all wallets together have 130, and 115 came in and did not go out/],
    ["a receiver beyond its limit", "update journal set balance_max_after_minor = 2000 where sequence in (2, 24); update journal set receiver_balance_max_after_minor = 2000 where receiver_wallet_id = 2", /0\/18: takes the receiver beyond its limit/],
    ["a withdrawal of more than there was", journal(17, "amount_minor = 100000"), /0\/17: leaves the wallet with -\d+ available/],
    ["a withdrawal of nothing", journal(17, "amount_minor = 0"), /0\/17: moves 0/],
    ["a withdrawal that was an addition", journal(17, "kind = 2"), /0\/17: has available_after_minor/],
    ["a freezing that moves money", journal(20, "amount_minor = 1"), /0\/20: moves 1/],
    ["a withdrawal from a frozen wallet", journal(21, "kind = 7"), /0\/21: is done with a frozen wallet/],
    ["a freezing that froze nothing", journal(20, "state_after = 1"), /0\/20: has state_after 1, recomputed 2/],
    ["an unfreezing turned into an extension", journal(22, "kind = 9"), /0\/22: does not say which hold it changes/],
    ["a second freezing", journal(22, "kind = 10, state_after = 2"), /0\/22: is done with a frozen wallet/],
    ["a closing of a wallet that is not empty", journal(22, "kind = 12, state_after = 3"), /0\/22: closes a wallet that is not empty/],
    ["something after a closing", journal(22, "kind = 12, state_after = 3"), /0\/25: follows the wallet's closing/],
    ["something received after a closing", journal(22, "kind = 12, state_after = 3"), /0\/24: follows the receiver's closing/],
    ["another limit", journal(19, "balance_max_after_minor = 99999"), /0\/20: has balance_max_after_minor 100000, recomputed 99999/],
    ["a limit below zero", journal(19, "balance_max_after_minor = -1"), /0\/19: limits the wallet to -1/],
    ["a limit set by something else", journal(17, "balance_max_after_minor = 1"), /0\/17: has balance_max_after_minor 1, recomputed null/],
    ["more captured than the amount", journal(10, "hold_captured_after_minor = 2001"), /0\/10: leaves hold 6 with 2001 captured, recomputed 2000/],
    ["a capture of more than remained", journal(11, "amount_minor = 3001"), /0\/11: captures 3001 of hold 6, of which 3000 remained/],
    ["a hold of which nothing remains and that is active", journal(11, "hold_status_after = 1"), /0\/11: leaves hold 6 in status 1, recomputed 4/],
    ["a capture that ended its hold and returned nothing", journal(10, "hold_status_after = 4"), /0\/10: has available_after_minor 6000, recomputed 9000/],
    ["a captured hold that is captured again", journal(10, "hold_status_after = 4"), /0\/11: changes hold 6, which was resolved/],
    ["a capture that ended its hold with a release", journal(13, "hold_status_after = 2"), /0\/13: leaves hold 7 in status 2, recomputed 4/],
    ["a capture that changes the eligible time", journal(10, "hold_eligible_time_ms = hold_eligible_time_ms + 1"), /0\/10: changes the eligible time of hold 6/],
    ["a capture of no hold", journal(10, "hold_id = null, hold_status_after = null, hold_captured_after_minor = null, hold_eligible_time_ms = null"), /0\/10: does not say which hold it changes/],
    ["a capture of somebody else's hold", journal(24, "kind = 6, hold_id = 9, hold_status_after = 1, hold_captured_after_minor = 200, hold_eligible_time_ms = (select hold_eligible_time_ms from journal where sequence = 9)"), /0\/24: changes hold 9 of another wallet/],
    ["a withdrawal that speaks of a hold", journal(17, "hold_id = 9"), /0\/17: says something of a hold and does nothing to one/],
    ["all of a partly captured hold given back", journal(16, "amount_minor = 3000"), /0\/16: gives back 3000 of hold 8, of which 2000 remained/],
    ["what was captured forgotten at the end", journal(16, "hold_captured_after_minor = 0"), /0\/16: leaves hold 8 with 0 captured, recomputed 1000/],
    ["an extension that shortens", journal(14, "hold_eligible_time_ms = (select hold_eligible_time_ms - 1 from journal where sequence = 8)"), /0\/14: makes the period of hold 8 no longer/],
    ["an extension that captures", journal(14, "hold_captured_after_minor = 1"), /0\/14: leaves hold 8 with 1 captured, recomputed 0/],
    ["an extension that is forgotten afterwards", journal(15, "hold_eligible_time_ms = (select hold_eligible_time_ms from journal where sequence = 8)"), /0\/15: changes the eligible time of hold 8/],
    ["a transfer's key taken away", journal(18, "key_hash = null"), /points at operation 18, and no operation has its key/],
    ["a relation of a transfer", journal(18, "related_operation_id = 5"), /0\/18: is related to another operation and is no addition/],
  ])("%s", (_, sql, problem) => {
    const problems = ledger.problemsAfterResealing((db) => void db.exec(sql));
    expect(problems).toContainEqual(expect.stringMatching(problem));
    expect(problems).not.toContainEqual(expect.stringMatching(/does not have the hash/));
  });
});

describe("wallets that count one currency in different minor units", () => {
  let mixed: TamperedLedger;

  beforeAll(async () => {
    const pointsWith = (decimals: number) => ({ ...storyRules, currencies: currencyRegistry(new Map([["POINTS", decimals]])) });
    const points = { currency: "POINTS" };
    const opened = [init("POINTS"), add("9", points)]; // 1, 2
    const paid = [init("POINTS", { user: "bob" }), transfer("2", "bob", points), hold("4", points), capture(5n, "3", { to: "bob" })]; // 3, 4, 5, 6
    mixed = await tamperedLedger([opened, paid, [withdraw("0.5", { ...points, user: "bob" })]], { rulesAt: (batch) => pointsWith(batch === 0 ? 0 : 2) }); // 7
  });
  afterAll(() => mixed.remove());

  test("pay each other, and nothing is made or lost", () => expect(mixed.problemsAfter(() => {})).toEqual([]));

  test("and a point more in the finer ones is seen", () => {
    const problems = mixed.problemsAfter((db) => void db.exec("update wallets set available_minor = available_minor + 1 where wallet_id = 3"));
    expect(problems).toContainEqual("POINTS: all wallets together have 8.51, and 8.5 came in and did not go out");
  });

  test("and the same number of minor units on both sides is seen", () => {
    const problems = mixed.problemsAfterResealing((db) => void db.exec(journal(4, "receiver_amount_minor = amount_minor")));
    expect(problems).toContainEqual("journal 0/4: takes 2 and gives 2");
  });

  test("and their counters are kept apart", () => {
    const problems = mixed.problemsAfter((db) => void db.exec("update currency_totals set exponent = 3 where exponent = 2"));
    expect(problems).toContainEqual(expect.stringMatching(/currency_totals POINTS:3: are 0801320a02f403, the journal says $/));
  });
});
