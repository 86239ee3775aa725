// While a synchronous standby has not got an operation, nobody is told that it happened: not by COMMIT's own answer, not by a look at the primary afterwards, and not as a replay.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { urlOf } from "../../support/postgres-place.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { grpcClient } from "../grpc-client.ts";
import { cleanUp, startService } from "../service-process.ts";
import { cleanUpServers, OwnPostgres } from "../../support/own-postgres.ts";
import { withStandby } from "./pair.ts";

afterAll(async () => {
  cleanUp();
  await cleanUpServers();
});

/** Ends the wait of every backend of the service that waits for the standby. */
function endWaitsUntilOver(primary: OwnPostgres, by: string) {
  const sentence = `select count(${by}(pid)) as count from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'wallet'`;
  const state = { isOver: false };
  const run = async (): Promise<number> => {
    let count = 0;
    for (; !state.isOver; await sleep(50)) count += Number((await primary.ask<{ count: string }>(sentence))[0]!.count);
    return count;
  };
  return Object.assign(state, { count: run() });
}

test.each([
  ["cancelled", "pg_cancel_backend"],
  ["ended with its backend", "pg_terminate_backend"],
])("the wait for a standby that is out of reach is %s", async (_, by) => {
  const first = await OwnPostgres.start();
  await first.ask("create database ledger");
  const cable = await TcpProxy.before(first.url);
  const { primary, standby } = await withStandby(first, (info) => info.replace(/port=\d+/, `port=${new URL(cable.through(first.url)).port}`));
  const service = await startService({ databaseUrl: urlOf(primary.url, "ledger"), flags: ["--partitions=8"] });
  const client = grpcClient(service.address);
  const add = (key: string) => client.call(WalletService.method.addMoney, { userId: "ann", amount: "1", idempotencyKey: key, reference: key });
  await client.call(WalletService.method.initWallet, { userId: "ann", currency: "USD" });
  expect(await add("acknowledged")).toMatchObject({ type: "answered" });

  cable.isSilent = true;
  cable.freeze();
  const asked = add("unknown");
  // Again and again: whoever looks whether it happened waits too.
  const ending = endWaitsUntilOver(primary, by);
  try {
    expect(await asked).toMatchObject({ type: "refused", reason: "OUTCOME_UNKNOWN" });
    // The primary shows it by now.
    expect(await add("unknown")).toMatchObject({ type: "refused" });
  } finally {
    ending.isOver = true;
  }
  expect(await ending.count).toBeGreaterThan(0);
  client.close();
  await service.end("SIGKILL");
  await primary.kill();
  await standby.promote();
  const there = await standby.ask<{ reference: string }>("select reference from journal where reference is not null", [], "ledger");
  expect(there).toEqual([{ reference: "acknowledged" }]);
  await cable.close();
});
