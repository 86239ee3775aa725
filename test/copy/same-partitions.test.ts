// A ledger that was copied is the same ledger: every row of it, on either engine, however often the copy was interrupted.

import { afterAll, expect, test } from "vitest";
import { toCommand } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { Clock, cleanUp, copy, copyInPieces, mixedLedger, newPlace, rowsOf, serving, verified, writeMixed } from "./ledgers.ts";

afterAll(cleanUp);

test.each([1, 5])("SQLite → PostgreSQL → SQLite with %i partitions: every row is the same", async (partitions) => {
  const original = await mixedLedger("sqlite", { partitions });
  const rows = await rowsOf(original);
  for (const table of Object.keys(rows)) if (table !== "moved_operations") expect(rows[table]!.length, table).toBeGreaterThan(0);

  const moved = await newPlace("postgres");
  const { heads, records } = await copy(original, moved);
  expect(await rowsOf(moved)).toEqual(rows);
  expect({ records: Number(records), heads: heads.length }).toEqual({ records: rows["journal"]!.length, heads: partitions });
  expect(await verified(moved)).toMatchObject({ mismatches: [], checkedOperations: records });

  const back = await newPlace("sqlite");
  await copy(moved, back);
  expect(await rowsOf(back)).toEqual(rows);
  expect(await verified(back)).toMatchObject({ mismatches: [], checkedOperations: records });
  if (partitions === 1) expect(checkBooks(back.kind === "sqlite" ? back.path : "").problems).toEqual([]);
});

test("after a move keys replay, remembered rejections too, holds are captured, and the ledger goes on where it was", async () => {
  const clock = new Clock();
  const original = await mixedLedger("sqlite", { batches: 5, clock });
  const asked = {
    paid: { type: "add", user: "user-1", currency: "USD", amount: "12.00", key: "paid", reference: "a\0b\uFDD0" },
    refused: { type: "withdraw", user: "user-1", currency: "USD", amount: "99999999", key: "refused" },
    held: { type: "hold", user: "user-1", currency: "USD", amount: "3.00", key: "held" },
  } as const;
  const first = await serving(original, clock, (executor) => executor.execute(Object.values(asked).map(toCommand)));
  const holdId = (first[2] as unknown as { hold: { holdId: bigint } }).hold.holdId;

  for (const kind of ["postgres", "sqlite"] as const) {
    const moved = await newPlace(kind);
    await copy(original, moved);
    await serving(moved, clock, async (executor) => {
      const again = await executor.execute(Object.values(asked).map(toCommand));
      expect(again).toEqual(first.map((answer) => ({ ...answer, replayed: true })));
      const [capture] = await executor.execute([toCommand({ type: "capture", user: "user-1", holdId, amount: "2.00", final: true, to: "user-2" })]);
      expect(capture).toMatchObject({ type: "applied", hold: { holdId }, record: { kind: "CAPTURE", amountMinor: 200n } });
      await writeMixed(executor, { batches: 4, seed: 99, clock });
    });
    expect(await verified(moved)).toMatchObject({ mismatches: [] });
  }
});

test("interrupted after every chunk, a copy goes on behind it and comes to the same rows", async () => {
  const original = await mixedLedger("sqlite", { partitions: 2, batches: 6 });
  const rows = await rowsOf(original);
  for (const kind of ["postgres", "sqlite"] as const) {
    const target = await newPlace(kind);
    expect(await copyInPieces(original, target, { chunkRows: 150 })).toBeGreaterThan(10);
    expect(await rowsOf(target)).toEqual(rows);
    expect(await verified(target)).toMatchObject({ mismatches: [] });
  }
});
