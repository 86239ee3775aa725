// Values on their way to PostgreSQL and back: exact, whatever they are, and refused before anything is sent where they do not fit.

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReadingConnections, withSession, type Connections } from "../../src/store/postgres/connection.ts";
import { toParameter } from "../../src/store/postgres/parameters.ts";
import { statement } from "../../src/store/postgres/statement.ts";
import { fromStoredText, toStoredText } from "../../src/store/postgres/stored-text.ts";
import { sql } from "kysely";
import { postgresUrl } from "../support/postgres-place.ts";

interface Row {
  readonly number: bigint | null;
  readonly text: string | null;
  readonly bytes: Uint8Array | null;
}

const row: fc.Arbitrary<Row> = fc.record({
  number: fc.option(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
  text: fc.option(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "\0", "\uFDD0", "\uFDD00", "\uFDD0\0\uFDD01", "{}", "NULL", '"', "\\"))),
  bytes: fc.option(fc.uint8Array()),
});

const listed = statement<{ numbers: readonly (bigint | null)[]; texts: readonly (string | null)[]; bytes: readonly (Uint8Array | null)[] }, Row>("test listed", (db, arg) =>
  db
    .selectFrom(sql<Row>`unnest(${arg("numbers", "bigint[]")}, ${arg("texts", "text[]")}, ${arg("bytes", "bytea[]")})`.as<"listed">(sql`listed(number, text, bytes)`))
    .selectAll(),
);

const single = statement<{ number: bigint; text: string; bytes: Uint8Array }, Row>("test single", (db, arg) =>
  db.selectNoFrom([arg("number", "bigint").as("number"), arg("text", "text").as("text"), arg("bytes", "bytea").as("bytes")]),
);

let connections: Connections;
beforeAll(async () => {
  connections = openReadingConnections(await postgresUrl());
});
afterAll(() => connections.close());

test("arrays come back as they were, nulls included", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
      const args = { numbers: rows.map(({ number }) => number), texts: rows.map(({ text }) => text), bytes: rows.map(({ bytes }) => bytes) };
      const found = await withSession(connections, (session) => session.all(listed, args));
      expect(found.map((each) => ({ ...each, bytes: each.bytes && Uint8Array.from(each.bytes) }))).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});

test("single values come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(row, async ({ number, text, bytes }) => {
      const args = { number: number ?? 0n, text: text ?? "", bytes: bytes ?? new Uint8Array(0) };
      const [found] = await withSession(connections, (session) => session.all(single, args));
      expect({ ...found, bytes: Uint8Array.from(found!.bytes!) }).toEqual(args);
    }),
    { numRuns: 50 },
  );
});

test("a number beyond 64 bits is refused, wherever it stands", () => {
  for (const number of [2n ** 63n, -(2n ** 63n) - 1n]) {
    expect(() => toParameter("bigint", number)).toThrow(RangeError);
    expect(() => toParameter("bigint[]", [1n, number])).toThrow(RangeError);
  }
});

test("text that anybody wrote is stored as it is; what cannot be stored comes back too", () => {
  for (const text of ["", "Rent for May", "кофе ☕", "\u0001"]) expect(toStoredText(text)).toBe(text);
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("\0", "\uFDD0", "0", "1", "a") }), (text) => {
    expect(toStoredText(text)).not.toContain("\0");
    expect(fromStoredText(toStoredText(text))).toBe(text);
  }));
});
