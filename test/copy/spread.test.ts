// A ledger that was spread over other partitions answers as it did: the same ids, operations, balances, holds, reports and keys; and it goes on.

import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import type { Database as LedgerDatabase } from "../../src/database.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import { birthplaceOf, type JournalRecord } from "../../src/domain/journal.ts";
import { startHashOf } from "../../src/domain/joined-heads.ts";
import { denominationKey } from "../../src/domain/denomination.ts";
import type { UserId, Wallet } from "../../src/domain/wallet.ts";
import { LedgerFeed } from "../../src/ledger/ledger-feed.ts";
import type { RecordedOperation, Reads } from "../../src/store/store.ts";
import { toCommand } from "../support/asked.ts";
import { Clock, cleanUp, copy, copyInPieces, mixedLedger, newPlace, openReads, rowsOf, serving, verified, writeMixed } from "./ledgers.ts";

afterAll(cleanUp);

/** What every copy must leave as it is: all but places, links and seals. */
function lasting({ record, wallet, receiver, hold }: RecordedOperation): unknown {
  const placeless = { partition: undefined, sequence: undefined, previousSequence: undefined, hash: undefined, apart: undefined };
  return { ...record, ...placeless, receiver: record.receiver && { ...record.receiver, previousSequence: undefined }, wallet: nameOf(wallet), receiverWallet: receiver && nameOf(receiver), hold: record.hold && hold };
}

function nameOf({ walletId, userId, currency, exponent }: RecordedOperation["wallet"]): unknown {
  return { walletId, userId, currency, exponent };
}

function withoutPlaces(wallet: Wallet): unknown {
  return { ...wallet, headSequence: undefined };
}

const anyPage = { max: 1_000, lookedAtMax: 100_000 };

/** Everything that the ledger answers about its users, without places. */
async function everything(database: LedgerDatabase, clock: Clock): Promise<Record<string, unknown>> {
  const reads = await openReads(database, clock);
  try {
    const rows = await rowsOf(database, ["journal", "wallets", "idempotency_keys"]);
    const ids = [...new Set(rows["journal"]!.map((row) => row["operation_id"] as bigint))].toSorted((a, b) => (a < b ? -1 : 1));
    const users = [...new Set(rows["wallets"]!.map((row) => row["user_id"] as UserId))].toSorted();
    const operations = [];
    for (const id of ids) operations.push(lasting((await reads.operation(id))!));
    const ofUsers = [];
    for (const userId of users) ofUsers.push(await ofUser(reads, userId, clock));
    return { ids, operations, ofUsers, totals: await totalsOf(reads), nowMs: await reads.nowMs(undefined) };
  } finally {
    await reads.close();
  }
}

async function ofUser(reads: Reads, userId: UserId, clock: Clock): Promise<unknown> {
  const wallets = await reads.wallets(userId, undefined);
  const histories = [];
  for (const wallet of wallets) {
    const page = await reads.operations({ wallet, startTimeMs: undefined, endTimeMs: undefined, kind: undefined, reference: undefined, continueAt: undefined, notesMaxBytes: 1e9, ...anyPage });
    const asOf = [];
    for (let timeMs = clock.timeMs; timeMs > clock.timeMs - 60_000; timeMs -= 9_876) asOf.push(await reads.walletAsOf(wallet, { timeMs }));
    // What comes in from another partition is told without the hold and the key that it came by.
    const ofWallet = page!.operations.map((each) => (each.record.walletId === wallet.walletId ? each : { ...each, record: { ...each.record, hold: undefined, keyHash: undefined } }));
    histories.push({ operations: ofWallet.map(lasting), asOf });
  }
  const holds = await reads.holds({ userId, currency: undefined, status: undefined, eligibleAtMs: undefined, continueAt: undefined, ...anyPage });
  const active = await reads.holds({ userId, currency: undefined, status: "ACTIVE", eligibleAtMs: undefined, continueAt: undefined, ...anyPage });
  const keys = [];
  for (let key = 0; key < 40; key++) {
    const found = await reads.key(userId, keyHash(userId, `key-${key}`));
    if (found === undefined) continue;
    const { outcome, ...kept } = found.key;
    keys.push({ ...kept, rejection: "rejection" in outcome ? outcome.rejection : undefined, operation: found.operation && lasting(found.operation) });
  }
  const held = (page: typeof holds): unknown => page!.holds.map(({ hold, wallet }) => ({ hold, wallet: withoutPlaces(wallet) }));
  return { wallets: wallets.map(withoutPlaces), histories, holds: held(holds), active: held(active), keys };
}

/** Per currency, of all partitions together. */
async function totalsOf(reads: Reads): Promise<unknown> {
  const sums = new Map<string, Record<string, { count: bigint; minor: bigint }>>();
  for (const each of await reads.totals({ userId: undefined, currency: undefined })) {
    const sum = sums.get(denominationKey(each)) ?? {};
    for (const [kind, { count, minor }] of Object.entries(each.totals)) sum[kind] = { count: (sum[kind]?.count ?? 0n) + count, minor: (sum[kind]?.minor ?? 0n) + minor };
    sums.set(denominationKey(each), sum);
  }
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

test("1 → 8 → 1 and 8 → 3, on both engines: every answer is as before, the books are whole, and new ids collide with nothing", async () => {
  const clock = new Clock();
  const original = await mixedLedger("sqlite", { batches: 8, clock });
  let before = await everything(original, clock);
  let database = original;
  let seed = 20;
  for (const [partitions, kind] of [[8, "postgres"], [1, "sqlite"], [8, "sqlite"], [3, "postgres"]] as const) {
    const heads = (await rowsOf(database))["ledger_head"]!;
    const moved = await newPlace(kind);
    const copied = await copy(database, moved, { partitions });
    expect(await everything(moved, clock)).toEqual(before);
    expect(await verified(moved)).toMatchObject({ mismatches: [], checkedOperations: copied.records });

    const rows = await rowsOf(moved);
    const startSequence = heads.reduce((largest, { sequence }) => ((sequence as bigint) > largest ? (sequence as bigint) : largest), 0n);
    const startHash = startHashOf(heads.map(({ partition, sequence, hash }) => ({ partition: Number(partition), sequence: sequence as bigint, hash: Buffer.from(hash as string, "hex") })));
    expect(rows["ledger_head"]).toHaveLength(partitions);
    for (const head of rows["ledger_head"]!) expect(head).toMatchObject({ start_sequence: startSequence, start_hash: Buffer.from(startHash).toString("hex"), moved_sequence: head["sequence"] });

    // It goes on, and with it the next move has operations of several generations.
    const given = new Set(before["ids"] as bigint[]);
    await serving(moved, clock, (executor) => writeMixed(executor, { batches: 3, seed: seed++, clock }));
    before = await everything(moved, clock);
    const news = (before["ids"] as bigint[]).filter((id) => !given.has(id));
    expect(news.length).toBeGreaterThan(50);
    for (const id of news) expect(birthplaceOf(id).sequence).toBeGreaterThan(startSequence);
    expect(await verified(moved)).toMatchObject({ mismatches: [] });
    database = moved;
  }
});

test("a copy in pieces, and on the other engine, comes to the same rows as one at once", async () => {
  const original = await mixedLedger("sqlite", { partitions: 5, batches: 40 });
  const whole = await newPlace("sqlite");
  await copy(original, whole, { partitions: 4 });
  const rows = await rowsOf(whole);
  for (const table of Object.keys(rows)) expect(rows[table]!.length, table).toBeGreaterThan(0);
  for (const kind of ["postgres", "sqlite"] as const) {
    const target = await newPlace(kind);
    expect(await copyInPieces(original, target, { partitions: 4, chunkRows: 400 })).toBeGreaterThan(8);
    expect(await rowsOf(target)).toEqual(rows);
  }
  // And as it is: the places of moved operations go with it.
  const again = await newPlace("postgres");
  await copy(whole, again);
  expect(await rowsOf(again)).toEqual(rows);
  expect(await verified(again)).toMatchObject({ mismatches: [] });
});

test("keys replay whatever became of their users' partitions, rejections too, also after a second move", async () => {
  const clock = new Clock();
  let database = await mixedLedger("sqlite", { partitions: 2, batches: 2, clock });
  const asked = ["user-1", "user-2", "user-3", "user-4"].flatMap((user) => [
    toCommand({ type: "transfer", user, to: "user-5", currency: "USD", amount: "0.01", key: "paid" }),
    toCommand({ type: "withdraw", user, currency: "USD", amount: "99999999", key: "refused" }),
    toCommand({ type: "hold", user, currency: "USD", amount: "0.05", key: "held", periodMs: 3_600_000 }),
  ]);
  const first = await serving(database, clock, (executor) => executor.execute(asked));
  const holds = first.flatMap((answer) => (answer.type === "applied" && answer.hold !== undefined ? [{ user: answer.wallet.userId, holdId: answer.hold.holdId }] : []));
  expect(holds.length).toBeGreaterThan(0);
  const said = (answers: typeof first): unknown => answers.map((answer) => (answer.type === "applied" ? { ...answer, replayed: 0, record: lasting(answer) } : { ...answer, replayed: 0 }));
  for (const partitions of [6, 1, 4]) {
    const moved = await newPlace("sqlite");
    await copy(database, moved, { partitions });
    const again = await serving(moved, clock, (executor) => executor.execute(asked));
    expect(again.every((answer) => "replayed" in answer && answer.replayed)).toBe(true);
    expect(said(again)).toEqual(said(first));
    database = moved;
  }
  await serving(database, clock, async (executor, reads) => {
    const captured = await executor.execute(holds.map(({ user, holdId }) => toCommand({ type: "capture", user, holdId, amount: "0.02", to: "user-6", final: true })));
    expect(captured.every(({ type }) => type === "applied")).toBe(true);
    // A refund of what was done in an earlier ledger, and of nothing.
    const { operationId } = (first[0] as unknown as { record: JournalRecord }).record;
    const [refund, wrong] = await executor.execute([operationId, 7n << 48n | 3n].map((related) => toCommand({ type: "add", user: "user-9", currency: "USD", amount: "0.01", related })));
    expect(refund).toMatchObject({ type: "applied", record: { relatedOperationId: operationId } });
    expect(wrong).toMatchObject({ type: "rejected", rejection: { reason: "OPERATION_NOT_FOUND" } });
    expect((await reads.operation(operationId))?.record.operationId).toBe(operationId);
  });
  expect(await verified(database)).toMatchObject({ mismatches: [] });
});

test("keys that were forgotten, and one that was remembered anew, move too", async () => {
  const clock = new Clock();
  const original = await newPlace("sqlite");
  const dayMs = 24 * 3_600_000;
  await serving(original, clock, async (executor) => {
    for (let round = 0; round < 6; round++) {
      for (let user = 0; user < 6; user++) {
        // Some partitions stay without a change for longer than keys are kept.
        if (round > 1 && user % 2 === round % 2) continue;
        if (round === 0) await executor.execute([toCommand({ type: "init", user: `user-${user}`, currency: "USD" })]);
        await executor.execute([
          toCommand({ type: "add", user: `user-${user}`, currency: "USD", amount: "1", key: `again` }),
          toCommand({ type: "add", user: `user-${user}`, currency: "USD", amount: "1", key: `once-${round}` }),
          toCommand({ type: "withdraw", user: `user-${user}`, currency: "USD", amount: "1000000", key: `refused` }),
        ]);
      }
      clock.timeMs += 31 * dayMs;
    }
  }, 3);
  const retentionMs = 30 * dayMs;
  for (const [partitions, kind] of [[7, "postgres"], [5, "sqlite"], [2, "postgres"]] as const) {
    const moved = await newPlace(kind);
    await copy(original, moved, { partitions });
    expect(await verified(moved, retentionMs)).toMatchObject({ mismatches: [] });
    const onwards = await newPlace("postgres");
    await copy(moved, onwards, { partitions: 4 });
    expect(await verified(onwards, retentionMs)).toMatchObject({ mismatches: [] });
  }
});

test("whoever watches a spread ledger from the start sees everything, and goes on behind a place where nothing is yet", async () => {
  const clock = new Clock();
  const original = await newPlace("sqlite");
  await serving(original, clock, (executor) => executor.execute([toCommand({ type: "init", user: "ann", currency: "USD" }), toCommand({ type: "add", user: "ann", currency: "USD", amount: "1" })]));
  const moved = await newPlace("sqlite");
  await copy(original, moved, { partitions: 3 });
  await serving(moved, clock, async (executor, reads) => {
    for (let partition = 0; partition < 3; partition++) {
      const start = await reads.start(partition);
      expect(start).toMatchObject({ partition, sequence: 2n });
    }
    const feed = new LedgerFeed(reads, { watchersMax: 9 });
    const ended = new AbortController();
    const seen: bigint[] = [];
    for await (const { operation } of feed.watch({ userId: undefined, from: "start", signal: ended.signal })) {
      if (operation === undefined) continue;
      seen.push(operation.record.operationId);
      if (seen.length === 2) {
        await executor.execute(["bob", "cyd", "dee", "eve"].map((user) => toCommand({ type: "init", user, currency: "USD" })));
        feed.hint();
      }
      if (seen.length === 6) break;
    }
    ended.abort();
    feed.close();
    expect(new Set(seen).size).toBe(6);
    expect(seen.slice(0, 2)).toEqual([1n, 2n]);
  });
});

test("a source that somebody has altered is not sealed anew", async () => {
  const alter = async (change: string): Promise<Promise<unknown>> => {
    const original = await mixedLedger("sqlite", { partitions: 2, batches: 2 });
    new Database(original.kind === "sqlite" ? original.path : "").exec(change).close();
    return copy(original, await newPlace("sqlite"), { partitions: 3 });
  };
  await expect(alter("update journal set amount_minor = amount_minor + 1 where sequence = 9 and partition = 1")).rejects.toThrow(/journal of partition 1 is not what was written: the hash of operation 9 does not fit\. A copy over other partitions would seal that anew, so it is not made/);
  await expect(alter("delete from journal where partition = 0 and sequence = (select max(sequence) from journal where partition = 0)")).rejects.toThrow(/journal of partition 0 ends with operation \d+, and its head says another/);
  await expect(alter("update journal set kind = 99 where sequence = 3 and partition = 0")).rejects.toThrow(/has at 3 no operation that can be read/);
});

test("changes to what was moved are found", async () => {
  const original = await mixedLedger("sqlite", { batches: 4 });
  const found = async (change: string): Promise<readonly string[]> => {
    const moved = await newPlace("sqlite");
    await copy(original, moved, { partitions: 3 });
    const path = moved.kind === "sqlite" ? moved.path : "";
    const connection = new Database(path);
    expect(connection.prepare(change).run().changes, change).toBeGreaterThan(0);
    connection.close();
    return (await verified(moved)).mismatches.map(({ subject, expected, actual }) => `${subject}: expected ${expected}, found ${actual}`);
  };
  const moved = "partition = 0 and sequence = (select min(sequence) + 5 from journal where partition = 0)";
  expect(await found(`update journal set amount_minor = amount_minor + 1 where ${moved}`)).not.toEqual([]);
  expect(await found(`update journal set operation_id = 1 where ${moved}`)).toContainEqual(expect.stringContaining("expected an id that no other operation has"));
  expect(await found(`update journal set operation_id = operation_id + (1 << 30) where ${moved}`)).toContainEqual(expect.stringContaining("expected one of the ledger before, whose sequences ended with"));
  expect(await found("delete from moved_operations where operation_id = (select max(operation_id) from moved_operations)")).toContainEqual(expect.stringMatching(/as found by its id \d+: expected \d+, found none/));
  expect(await found("update moved_operations set sequence = sequence + 1 where operation_id = (select max(operation_id) from moved_operations)")).toContainEqual(expect.stringContaining("as found by its id"));
  expect(await found("insert into moved_operations values (1, 77777777, 3)")).toContainEqual(expect.stringContaining("entry of moved operation 77777777"));
  expect(await found("insert into moved_operations values (9, 1, 3)")).toContainEqual(expect.stringContaining("table moved_operations"));
  for (const column of ["start_sequence", "moved_sequence"]) for (const by of ["+ 1", "- 1"]) expect(await found(`update ledger_head set ${column} = ${column} ${by} where partition = 1`), `${column} ${by}`).not.toEqual([]);
  expect(await found("update ledger_head set start_hash = zeroblob(32) where partition = 2")).not.toEqual([]);
});
