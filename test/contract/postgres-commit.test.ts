// What is said of a transaction once COMMIT was sent: done only where every statement before it was answered.

import { afterEach, beforeEach, expect, test } from "vitest";
import { commit } from "../../src/store/postgres/commit.ts";
import { openWritingConnections, type Connections } from "../../src/store/postgres/connection.ts";
import type { Session } from "../../src/store/postgres/session.ts";
import type { Bound } from "../../src/store/postgres/statement.ts";
import { makeDatabase, rowsOf } from "../support/postgres-place.ts";

let database: Awaited<ReturnType<typeof makeDatabase>>;
let connections: Connections;
let session: Session;

beforeEach(async () => {
  database = await makeDatabase("migrated");
  connections = openWritingConnections(database.url);
  session = await connections.take();
  await session.send("BEGIN");
});
afterEach(async () => {
  session.release({ isBroken: true });
  await connections.close();
  await database.remove();
});

const insertTotals = (name: string, currency: string): Bound => ({
  name,
  text: `insert into currency_totals (partition, currency, exponent, totals) values (0, '${currency}', 2, '\\x00')`,
  values: [],
});
const send = (bound: Bound): Promise<unknown> => {
  const answer = session.send(bound);
  answer.catch(() => {});
  return answer;
};
const currencies = async (): Promise<unknown[]> => (await rowsOf(database.url))["currency_totals"]!.map(({ currency }) => currency);

test("all of it was answered: it is done", async () => {
  expect(await commit(session, [send(insertTotals("first", "USD")), send(insertTotals("second", "EUR"))])).toBeUndefined();
  expect(await currencies()).toEqual(["EUR", "USD"]);
});

test("a statement was refused: it is not done, and told by that", async () => {
  await expect(commit(session, [send(insertTotals("first", "USD")), send(insertTotals("second", "USD"))])).rejects.toMatchObject({ code: "23505" });
  expect(await currencies()).toEqual([]);
});

test("a statement never reached the server, and COMMIT did: nobody is told that it is done", async () => {
  // The driver itself refuses a name that it knows with another text.
  const writes = [send(insertTotals("first", "USD")), send(insertTotals("first", "EUR"))];
  await expect(commit(session, writes)).rejects.toMatchObject({ name: "StoreFault", kind: "unknown", message: expect.stringMatching(/a statement before it was not: .*first/) as string });
  expect(await currencies()).toEqual(["USD"]);
});
