// The obvious service on PostgreSQL, for row 8: one transaction an operation on a connection of a pool, which locks the wallet's row, adds and writes the operation down. Arguments: the port and the database's URL.
//
// It is what one would write first, and nothing about it is slow on purpose: the wallet's lock keeps two uses of one key apart, so that a key needs no table of its own; two indexes serve every statement.

import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { Pool, type PoolClient } from "pg";
import { OperationKind } from "../../gen/wallet/v1/operation_pb.ts";
import { BalanceSchema, WalletState, type Balance } from "../../gen/wallet/v1/wallet_pb.ts";
import { AddMoneyResponseSchema, type AddMoneyRequest, type AddMoneyResponse } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { serveAddMoney } from "./add-money-server.ts";

const connectionsMax = 16;

interface WalletRow {
  readonly balance: string;
  readonly version: string;
  readonly create_time: Date;
}

interface OperationRow {
  readonly id: string;
  readonly amount: string;
  readonly balance_after: string;
  readonly version_after: string;
  readonly create_time: Date;
}

const [port, connectionString] = process.argv.slice(2);
// No time limit on rest: its connections stay while other contenders have their turns.
const pool = new Pool({ connectionString, max: connectionsMax, idleTimeoutMillis: 0 });

await serveAddMoney(Number(port), async (request) => {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const answer = await addMoney(client, request);
    await client.query("COMMIT");
    return answer;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
});

async function addMoney(client: PoolClient, request: AddMoneyRequest): Promise<AddMoneyResponse> {
  const { userId, currency, amount, idempotencyKey } = request;
  const wallets = await client.query<WalletRow>("SELECT balance, version, create_time FROM wallets WHERE user_id = $1 AND currency = $2 FOR UPDATE", [userId, currency]);
  const wallet = wallets.rows[0];
  if (wallet === undefined) throw new ConnectError(`${userId} has no wallet in ${currency}`, Code.NotFound);
  const known = await client.query<OperationRow>("SELECT id, amount, balance_after, version_after, create_time FROM operations WHERE user_id = $1 AND idempotency_key = $2", [
    userId,
    idempotencyKey,
  ]);
  if (known.rows[0] !== undefined) return answerOf(request, wallet, known.rows[0], true);

  const updated = await client.query<WalletRow>(
    "UPDATE wallets SET balance = balance + $3, version = version + 1, update_time = now() WHERE user_id = $1 AND currency = $2 RETURNING balance, version, create_time",
    [userId, currency, amount],
  );
  const after = updated.rows[0]!;
  const operations = await client.query<OperationRow>(
    `INSERT INTO operations (user_id, currency, kind, amount, balance_after, version_after, idempotency_key)
     VALUES ($1, $2, 'add', $3, $4, $5, $6) RETURNING id, amount, balance_after, version_after, create_time`,
    [userId, currency, amount, after.balance, after.version, idempotencyKey],
  );
  return answerOf(request, after, operations.rows[0]!, false);
}

function answerOf({ userId, currency = "" }: AddMoneyRequest, wallet: WalletRow, operation: OperationRow, replayed: boolean): AddMoneyResponse {
  const createTime = timestampFromDate(operation.create_time);
  const balance = (available: string): Balance => create(BalanceSchema, { available, held: "0.00", total: available });
  return create(AddMoneyResponseSchema, {
    operation: {
      operationId: BigInt(operation.id),
      kind: OperationKind.ADD,
      userId,
      currency,
      amount: operation.amount,
      balanceAfter: balance(operation.balance_after),
      createTime,
      walletVersion: BigInt(operation.version_after),
    },
    wallet: {
      userId,
      currency,
      balance: balance(wallet.balance),
      state: WalletState.ACTIVE,
      version: BigInt(wallet.version),
      createTime: timestampFromDate(wallet.create_time),
      updateTime: createTime,
    },
    replayed,
  });
}
