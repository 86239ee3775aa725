// Databases for row 8, with so many wallets and a million in each: ledgers, filled through their own executor, and the tables of the obvious service.

import { currencyRegistry } from "../src/domain/currency.ts";
import { executorOn } from "../src/ledger/executor.ts";
import { openPostgresStore } from "../src/store/postgres/open-postgres.ts";
import { firstCommands } from "./filled-ledger.ts";
import { onDatabase, settle } from "./postgres-server.ts";
import { userDigits, userIdOf } from "./requests.ts";

const rules = { currencies: currencyRegistry(new Map()), holdPeriodMs: 600_000, autoRelease: false, idempotencyRetentionMs: 30 * 86_400_000 };

const walletsATime = 1_000;

/** Makes a ledger with so many partitions of an empty database. */
export async function fillPostgresLedger(url: string, wallets: number, partitions: number): Promise<void> {
  const { store } = await openPostgresStore(url, Date.now, { partitions });
  const executor = executorOn(store, rules);
  for (let first = 0; first < wallets; first += walletsATime) {
    const answers = await executor.execute(firstCommands(first, Math.min(walletsATime, wallets - first)));
    if (answers.some(({ type }) => type !== "applied")) throw new Error("the ledger could not be filled");
  }
  await executor.close();
  await settle(url);
}

/** The tables of bench/servers/obvious-postgres.ts. Keys may be missing, but not be there twice. */
const obviousTables = `
  CREATE TABLE wallets (
    user_id text NOT NULL,
    currency text NOT NULL,
    balance numeric(20, 2) NOT NULL CHECK (balance >= 0),
    version bigint NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, currency)
  );
  CREATE TABLE operations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    amount numeric(20, 2) NOT NULL,
    balance_after numeric(20, 2) NOT NULL,
    version_after bigint NOT NULL,
    idempotency_key text,
    create_time timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, idempotency_key)
  )`;

/** Makes the obvious service's tables of an empty database. */
export async function fillObviousTables(url: string, wallets: number): Promise<void> {
  const userId = `'${userIdOf(0).slice(0, -userDigits)}' || lpad(number::text, ${userDigits}, '0')`;
  await onDatabase(url, async (client) => {
    await client.query(obviousTables);
    await client.query(`INSERT INTO wallets (user_id, currency, balance, version) SELECT ${userId}, 'USD', 1000000, 2 FROM generate_series(0, ${wallets - 1}) number`);
    await client.query("INSERT INTO operations (user_id, currency, kind, amount, balance_after, version_after) SELECT user_id, currency, 'open', 0, 0, 1 FROM wallets");
    await client.query("INSERT INTO operations (user_id, currency, kind, amount, balance_after, version_after) SELECT user_id, currency, 'add', balance, balance, 2 FROM wallets");
  });
  await settle(url);
}
