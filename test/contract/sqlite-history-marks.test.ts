// A ledger from before there were marks gets those that it would have had.

import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { executorOn } from "../../src/ledger/executor.ts";
import { toCommand } from "../support/asked.ts";
import { engines } from "../support/engines.ts";
import { add, init, startMs, storyRules, transfer } from "../support/given.ts";

test("migrating marks the histories that are there, on either side of an operation", async () => {
  const place = await engines.find(({ name }) => name === "sqlite")!.open();
  const store = await place.openStore(() => startMs);
  const story = [init(), init("USD", { user: "bob" }), add("900"), ...Array.from({ length: 150 }, () => transfer("1", "bob")), ...Array.from({ length: 50 }, () => add("1", { user: "bob" }))];
  await executorOn(store, storyRules).execute(story.map(toCommand));
  await store.close();
  const before = await place.dump();
  expect(before["history_marks"]!.length).toBe(2 + 3);

  const older = new Database(place.path);
  older.exec(`drop table key_runs; drop table key_chunks; drop table key_filters; create unique index idempotency_keys_by_hash on idempotency_keys (partition, key_hash);
    alter table journal drop column side; alter table journal drop column other_user_id; alter table journal drop column other_exponent; alter table journal drop column nonce;
    alter table ledger_head drop column start_sequence; alter table ledger_head drop column start_hash; alter table ledger_head drop column moved_sequence; drop table moved_operations;
    drop table history_marks; drop table newer_wallets; delete from kysely_migration where name >= '0003'`);
  older.close();
  await (await place.openStore(() => startMs)).close();
  expect(await place.dump()).toEqual(before);
  await place.remove();
});
