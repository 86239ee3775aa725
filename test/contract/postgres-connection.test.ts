// Connections of a pool: whoever takes one hears something, and is given none that may have died unnoticed.

import { afterEach, beforeEach, expect, test } from "vitest";
import { openWritingConnections, type Connections } from "../../src/store/postgres/connection.ts";
import { ConnectionLost, type Session } from "../../src/store/postgres/session.ts";
import { makeDatabase } from "../support/postgres-place.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/** The server's word that it is ready for a query, outside of a transaction. */
const ready = Buffer.from("Z\0\0\0\u0005I");

let database: Awaited<ReturnType<typeof makeDatabase>>;
let proxy: TcpProxy;
let connections: Connections;

beforeEach(async () => {
  database = await makeDatabase("empty");
  proxy = await TcpProxy.before(database.url);
  connections = openWritingConnections(proxy.through(database.url), { answerMaxMs: 2_000 });
});
afterEach(async () => {
  await connections.close();
  await proxy.close();
  await database.remove();
});

const backendOf = async (session: Session): Promise<unknown> => (await session.send("select pg_backend_pid() as pid")).rows[0];

test("a server that falls silent while a connection is prepared: who takes it is told, and the next one is tried", async () => {
  proxy.whenSaid = (data) => {
    if (!data.includes(ready)) return;
    proxy.whenSaid = () => {};
    proxy.freeze();
  };
  await expect(connections.take()).rejects.toBeInstanceOf(ConnectionLost);
  const session = await connections.take();
  expect(await backendOf(session)).toBeDefined();
  session.release({ isBroken: false });
});

test("where one was waited for in vain, none is used any more that is older", async () => {
  const [first, second, kept] = await Promise.all([connections.take(), connections.take(), connections.take()]);
  second.release({ isBroken: false });
  expect(kept.isUsable).toBe(true);
  proxy.freeze();
  await expect(backendOf(first)).rejects.toBeInstanceOf(ConnectionLost);
  expect(kept.isUsable).toBe(false);
  kept.release({ isBroken: true });
  first.release({ isBroken: true });
  const [third, fourth] = await Promise.all([connections.take(), connections.take()]);
  expect(await Promise.all([third, fourth].map(backendOf))).toHaveLength(2);
  for (const session of [third, fourth]) session.release({ isBroken: false });
});

test("where one was cut, the others go on", async () => {
  const [first, second] = await Promise.all([connections.take(), connections.take()]);
  const backend = await backendOf(second);
  second.release({ isBroken: false });
  proxy.cutOne(0);
  await expect(backendOf(first)).rejects.toBeInstanceOf(ConnectionLost);
  await expect.poll(() => first.isUsable).toBe(false);
  first.release({ isBroken: true });
  const again = await connections.take();
  expect(await backendOf(again)).toEqual(backend);
  again.release({ isBroken: false });
});
