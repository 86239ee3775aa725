// Where a ledger is kept: an engine, and a place on it. Plain data: it can be sent to a worker thread.

/** A SQLite file. */
export interface SqliteDatabase {
  readonly kind: "sqlite";
  /** As it was given: a relative path starts from the working directory. */
  readonly path: string;
}

/** A database on a PostgreSQL server. */
export interface PostgresDatabase {
  readonly kind: "postgres";
  /** With everything that its clients need, a password perhaps. Never to be told. */
  readonly url: string;
}

/** A database: its engine and where it is. */
export type Database = SqliteDatabase | PostgresDatabase;
