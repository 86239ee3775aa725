// Somebody keeps the head of one partition, as an administrator's session or a transaction that waits for a lost machine does: whoever needs it hears that it is unavailable, and everybody else is served.

import { afterAll, expect, test } from "vitest";
import { Client } from "pg";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { partitionOf } from "../../../src/domain/partitions.ts";
import type { UserId } from "../../../src/domain/wallet.ts";
import { makeDatabase } from "../../support/postgres-place.ts";
import { grpcClient, type Outcome } from "../grpc-client.ts";
import { cleanUp, startService } from "../service-process.ts";

const partitionCount = 8;
const heldPartition = 5;
const users = Array.from({ length: 40 }, (_, user) => `user-${user}`);

/** Rounds of a call for each user, one round after the other: the first one finds out that the head is held. */
const rounds = 3;

afterAll(cleanUp);

test("a partition whose head is held is unavailable, and no other one is", async () => {
  const database = await makeDatabase("empty");
  const service = await startService({ databaseUrl: database.url, flags: [`--partitions=${partitionCount}`] });
  const client = grpcClient(service.address);
  await Promise.all(users.map((userId) => client.call(WalletService.method.initWallet, { userId, currency: "USD", idempotencyKey: `open-${userId}` })));
  const round = (number: number): Promise<readonly Outcome[]> =>
    Promise.all(users.map((userId) => client.call(WalletService.method.addMoney, { userId, amount: "1", idempotencyKey: `add-${number}-${userId}` })));
  const isHeld = (userId: string): boolean => partitionOf(userId as UserId, partitionCount) === heldPartition;
  expect(users.some(isHeld)).toBe(true);

  const holder = new Client(database.url);
  await holder.connect();
  await holder.query("begin");
  await holder.query("select * from ledger_head where partition = $1 for update", [heldPartition]);
  for (let number = 1; number <= rounds; number++) {
    const outcomes = await round(number);
    const told = new Map(users.map((userId, index) => [userId, outcomes[index]!]));
    for (const [userId, outcome] of told) expect([userId, outcome]).toMatchObject([userId, isHeld(userId) ? { type: "refused", reason: "STORE_UNAVAILABLE" } : { type: "answered" }]);
  }
  // A transfer into the partition is refused whole.
  const [payer, receiver] = [users.find((userId) => !isHeld(userId))!, users.find(isHeld)!];
  expect(await client.call(WalletService.method.transferMoney, { userId: payer, toUserId: receiver, amount: "1", idempotencyKey: "across" })).toMatchObject({ type: "refused", reason: "STORE_UNAVAILABLE" });
  await holder.query("rollback");
  await holder.end();

  for (const outcome of await round(rounds + 1)) expect(outcome.type).toBe("answered");
  expect((await client.call(WalletService.method.transferMoney, { userId: payer, toUserId: receiver, amount: "1", idempotencyKey: "across" })).type).toBe("answered");
  // What was refused was not done.
  for (const userId of users) {
    const added = isHeld(userId) ? 1 : rounds + 1;
    const moved = userId === payer ? -1 : userId === receiver ? 1 : 0;
    const read = await client.call(WalletService.method.getWallet, { userId });
    if (read.type !== "answered") throw new Error(`${userId}: ${JSON.stringify(read)}`);
    expect([userId, read.response.wallet?.balance?.total]).toEqual([userId, `${added + moved}.00`]);
  }
  client.close();
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  await database.remove();
});
