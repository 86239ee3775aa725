// Opens a PostgreSQL ledger for writing: migrated, on a server that is no standby, with what is known of its durability.

import { Kysely, PostgresDialect } from "kysely";
import { DatabaseError } from "pg";
import { StartError } from "../../start-error.ts";
import { StoreFault, type Store } from "../store.ts";
import type { Tables } from "../tables.ts";
import { openWritingConnections, withSession, type PoolOptions } from "./connection.ts";
import { durabilityOf, type Durability } from "./durability.ts";
import { faultText } from "./fault.ts";
import { migrate, migrationMaxMs, type NewLedger } from "./migrate.ts";
import { partitionCountOf } from "./postgres-reads.ts";
import { PostgresStore } from "./postgres-store.ts";
import { ConnectionLost } from "./session.ts";

/** What the server's own limit on a migration's statement is ahead of the client's, in milliseconds: it is the server that ends one, and says so. */
const migrationMarginMs = 10_000;

/** What the driver says where the URL asks for TLS and the server has none. */
const noTls = "The server does not support SSL connections";

/** Names of Node's for a certificate that is not trusted or not the server's (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
const certificateRefused = /CERT|ERR_TLS|UNABLE_TO_|HOSTNAME/;

export interface PostgresOptions extends PoolOptions {
  /** Of a new ledger. One that is there keeps its own. */
  readonly partitions: number;
}

export interface OpenedPostgres {
  readonly store: Store;
  readonly durability: Durability;
}

/**
 * Opens the ledger in this database, creating or migrating it first; other servers may have it open. `clock` is the machine's time in milliseconds since 1970.
 * Throws StartError where the database is no ledger that this version can serve, or cannot be reached.
 */
export async function openPostgresStore(url: string, clock: () => number, { partitions, ...options }: PostgresOptions): Promise<OpenedPostgres> {
  await migrateIn(url, { partitions, nowMs: clock() }, options);
  const connections = openWritingConnections(url, options);
  try {
    const durability = await durabilityOf(new Kysely<Tables>({ dialect: new PostgresDialect({ pool: connections.pool }) }));
    return { store: new PostgresStore(connections, clock, await withSession(connections, partitionCountOf)), durability };
  } catch (error) {
    await connections.close();
    throw startFailure(error);
  }
}

/** On connections of its own: what the ledger is written on gives no statement as long as a migration may take. */
async function migrateIn(url: string, ledger: NewLedger, options: PoolOptions): Promise<void> {
  const connections = openWritingConnections(url, { ...options, answerMaxMs: migrationMaxMs + migrationMarginMs });
  try {
    await migrate(connections, ledger);
  } catch (error) {
    throw startFailure(error);
  } finally {
    await connections.close();
  }
}

/** What the server says against the database is for whoever gave its URL; everything else is a defect. The URL itself has a password in it and is told to nobody. */
export function startFailure(error: unknown): unknown {
  const tls = tlsAdvice(error);
  if (tls !== undefined) return new StartError(`The ledger's database cannot be opened: ${faultText(error)}. ${tls}`, { cause: error });
  const isOfTheDatabase = error instanceof DatabaseError || error instanceof ConnectionLost || error instanceof StoreFault || (error instanceof Error && "syscall" in error);
  if (!isOfTheDatabase) return error;
  const said = faultText(error);
  return new StartError(`The ledger's database cannot be opened: ${said}. ${adviceFor(said)}`, { cause: error });
}

/** By what it says it with: an SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or the system's name for why nobody answered. */
function adviceFor(said: string): string {
  if (said.startsWith("28")) return "Check the user and the password in WALLET_DATABASE_URL.";
  if (said.startsWith("42501")) return "Grant it to the role, or give WALLET_DATABASE_URL the URL of a role that may.";
  if (said.startsWith("53300")) return "A server takes up to 25 connections for each of its network threads (docs/operations.md): let the database, or the role, have more, or give others fewer.";
  if (/in recovery|25006/.test(said)) return "Give WALLET_DATABASE_URL the URL of the primary.";
  if (said.startsWith("3D000")) return "Create the database first, or name another one in WALLET_DATABASE_URL.";
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|timeout/.test(said)) return "Start the server, or correct the host and the port in WALLET_DATABASE_URL.";
  return "Give WALLET_DATABASE_URL the URL of a PostgreSQL database that takes writes, with a role that may create tables in it.";
}

/** Where the connection could not be encrypted as the URL has it. */
function tlsAdvice(error: unknown): string | undefined {
  const cause = error instanceof ConnectionLost ? error.cause : error;
  if (!(cause instanceof Error)) return undefined;
  if (cause.message === noTls) return "WALLET_DATABASE_URL asks for TLS with sslmode: turn it on at the server, or take sslmode out of the URL.";
  const { code } = cause as NodeJS.ErrnoException;
  return code !== undefined && certificateRefused.test(code) ? "Name the file of the certificate that has signed the server's with sslrootcert in WALLET_DATABASE_URL, and the server as its certificate does." : undefined;
}
