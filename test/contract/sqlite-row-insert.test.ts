// Rows that are inserted several with each statement: whatever their number and their nulls, they are there as they were given.

import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrate } from "../../src/store/sqlite/migrate.ts";
import { rowInsert } from "../../src/store/sqlite/row-insert.ts";

type Row = Record<string, bigint | string | Buffer | null>;

let connection: Database.Database;
let insert: (rows: readonly Row[]) => void;
let nullable: readonly string[];
let sequence = 0n;

beforeEach(async () => {
  connection = new Database(":memory:");
  await migrate(connection, 0);
  connection.defaultSafeIntegers(true);
  const columns = connection.prepare<[], { name: string; notnull: bigint }>("select name, \"notnull\" from pragma_table_info('journal')").all();
  nullable = columns.filter(({ notnull }) => notnull === 0n).map(({ name }) => name);
  const always = columns.filter(({ notnull }) => notnull !== 0n).map(({ name }) => name);
  insert = rowInsert(connection, "journal", { always, sometimes: nullable } as never) as unknown as typeof insert;
});

afterEach(() => connection.close());

/** A row with values in these of the columns that may be null: each value tells its row and its column. */
function rowWith(columns: readonly string[]): Row {
  const row: Row = {};
  for (const [place, { name, type, notnull }] of connection.prepare<[], { name: string; type: string; notnull: bigint }>("select * from pragma_table_info('journal')").all().entries()) {
    const value = { INTEGER: sequence * 100n + BigInt(place), TEXT: `${sequence} ${name}`, BLOB: Buffer.from(`${sequence} ${name}`) }[type]!;
    row[name] = notnull !== 0n || columns.includes(name) ? value : null;
  }
  return { ...row, partition: 0n, sequence: ++sequence };
}

const stored = (): Row[] => connection.prepare<[], Row>("select * from journal order by sequence").all();

test("as many as there are, from none to three statements and a rest", () => {
  const given: Row[] = [];
  for (let count = 0; count <= 50; count++) {
    const rows = Array.from({ length: count }, () => rowWith(nullable.slice(0, count % 4)));
    insert(rows);
    given.push(...rows);
  }
  expect(stored()).toEqual(given);
});

test("each with nulls of its own, in more choices than statements are kept", () => {
  const given = Array.from({ length: 2_000 }, (_, index) => rowWith(nullable.filter((__, place) => ((index * 2_654_435_761) >>> place) % 5 === 0)));
  for (let from = 0; from < given.length; from += 1 + (from % 7)) insert(given.slice(from, from + 1 + (from % 7)));
  expect(stored()).toEqual(given);
});
