// The primary is killed under load and its synchronous standby promoted: three servers go on by themselves on the new primary, with everything that was acknowledged.
//
// TEST_PROMOTIONS=20 makes it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { urlOf } from "../../support/postgres-place.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { grpcClient } from "../grpc-client.ts";
import { cleanUp, startService } from "../service-process.ts";
import { cleanUpServers, OwnPostgres } from "../../support/own-postgres.ts";
import { withStandby } from "./pair.ts";
import { Trial } from "./trial.ts";

const promotions = Number(process.env["TEST_PROMOTIONS"] ?? 1);
/** How long the load lasts before the primary is killed, at most. */
const loadMaxMs = 4_000;
/** How long nobody is primary, at most: as long as somebody needs to notice. */
const nobodyMaxMs = 1_500;

afterAll(async () => {
  cleanUp();
  await cleanUpServers();
});

const ledgerOn = (server: OwnPostgres): string => urlOf(server.url, "ledger");

test(`${promotions} promotions`, { timeout: 600_000 + promotions * 60_000 }, async () => {
  const first = await OwnPostgres.start();
  await first.ask("create database ledger");
  let { primary, standby } = await withStandby(first);
  // The address that the servers know is the primary's, whichever that is.
  const address = await TcpProxy.before(primary.url);
  const options = { databaseUrl: ledgerOn(primary), serverUrls: [0, 1, 2].map(() => address.through(ledgerOn(primary))) };
  const trial = await Trial.start(options);
  const figures = { promotions: 0, reachedAsStandby: 0 };
  while (figures.promotions < promotions) {
    await trial.round(async () => {
      await sleep(trial.random.between(500, loadMaxMs));
      await primary.kill();
      // Some move the address before there is a primary: the standby must not be taken for one.
      if (trial.random.between(1, 2) === 1) {
        figures.reachedAsStandby++;
        address.pointTo(standby.url);
      }
      await sleep(trial.random.between(0, nobodyMaxMs));
      await standby.promote();
      address.pointTo(standby.url);
      await trial.untilServing();
      await sleep(500);
    });
    figures.promotions++;
    await primary.remove();
    if (figures.promotions < promotions) ({ primary, standby } = await withStandby(standby));
    else primary = standby;
    address.pointTo(primary.url);
    await trial.untilServing();
  }
  await trial.finish({ ...figures }, ledgerOn(primary));
  await address.close();
  await primary.remove();
});

test("a standby is no place to start on, and not written to by a server that finds itself on one", async () => {
  const first = await OwnPostgres.start();
  await first.ask("create database ledger");
  const { primary, standby } = await withStandby(first);
  const address = await TcpProxy.before(primary.url);
  const service = await startService({ databaseUrl: address.through(ledgerOn(primary)), flags: ["--partitions=8"] });
  await expect(startService({ databaseUrl: ledgerOn(standby) })).rejects.toThrow(/standby/);

  address.pointTo(standby.url);
  for (let number = address.connections - 1; number >= 0; number--) address.cutOne(number);
  const client = grpcClient(service.address);
  const open = (userId: string) => client.call(WalletService.method.initWallet, { userId, currency: "USD", idempotencyKey: userId });
  expect(await open("ann")).toMatchObject({ type: "refused", reason: "STORE_UNAVAILABLE" });
  expect(await client.call(WalletService.method.getWallet, { userId: "ann" })).toMatchObject({ type: "refused", reason: "STORE_UNAVAILABLE" });
  expect(await walletsOn(standby)).toBe(0);

  await primary.kill();
  await standby.promote();
  // It has nothing to be told: the address is the same.
  let outcome = await open("ann");
  for (let tries = 0; outcome.type === "refused" && tries < 100; tries++) outcome = await open("ann");
  expect(outcome.type).toBe("answered");
  expect(await walletsOn(standby)).toBe(1);
  client.close();
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  await address.close();
});

/** Wallets on that server. */
async function walletsOn(server: OwnPostgres): Promise<number> {
  return Number((await server.ask<{ count: string }>("select count(*) as count from wallets", [], "ledger"))[0]!.count);
}
