// A standby is no server for a ledger: it takes no writes and may be behind. Once it is promoted it is, and has what it had.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executorOn } from "../../src/ledger/executor.ts";
import { StartError } from "../../src/start-error.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { openPostgresReads } from "../../src/store/postgres/postgres-reads.ts";
import { toCommand } from "../support/asked.ts";
import { add, init, startMs, storyRules } from "../support/given.ts";
import { asOwner, makeDatabase, postgresUrl } from "../support/postgres-place.ts";
import { freePort } from "../../scripts/free-port.ts";

const isPossible = process.platform === "linux";

let database: Awaited<ReturnType<typeof makeDatabase>>;
let folder: string;
let standby: ChildProcess;
/** The ledger's URL on the standby. */
let url: string;

beforeAll(async () => {
  if (!isPossible) return;
  database = await makeDatabase("migrated");
  const { store } = await openPostgresStore(database.url, () => startMs, { partitions: 1 });
  await executorOn(store, storyRules).execute([init(), add("5")].map(toCommand));
  await store.close();

  const data = await asOwner(async (client) => {
    const { rows } = await client.query<{ data: string }>("select setting as data from pg_settings where name = 'data_directory'");
    await client.query("checkpoint");
    await client.query("select pg_backup_start('standby', true)");
    folder = mkdtempSync(join(dirname(dirname(rows[0]!.data)), "wallet-standby-"));
    chmodSync(folder, 0o755);
    const copy = join(folder, "data");
    // Files that go meanwhile are nothing: the log that is replayed knows of it.
    spawnSync("cp", ["-a", rows[0]!.data, copy]);
    const { rows: stopped } = await client.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
    // What was written meanwhile is needed to come to a consistent state.
    spawnSync("cp", ["-a", join(rows[0]!.data, "pg_wal"), copy]);
    writeFileSync(join(copy, "backup_label"), stopped[0]!.labelfile);
    writeFileSync(join(copy, "standby.signal"), "");
    for (const name of ["backup_label", "standby.signal"]) chownSync(join(copy, name), statSync(copy).uid, statSync(copy).gid);
    rmSync(join(copy, "postmaster.pid"));
    return rows[0]!.data;
  });
  const { uid, gid } = statSync(data);
  const copy = join(folder, "data");
  const port = await freePort();
  const server = readlinkSync(`/proc/${readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]}/exe`);
  standby = spawn(server, ["-D", copy, "-p", `${port}`, "-c", "unix_socket_directories=", "-c", "max_connections=300"], { stdio: "ignore", ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
  url = Object.assign(new URL(database.url), { port: `${port}` }).href;
  await answering(Object.assign(new URL(await postgresUrl()), { port: `${port}` }).href);
});
afterAll(async () => {
  if (!isPossible) return;
  const ended = new Promise((resolve) => standby.once("exit", resolve));
  standby.kill("SIGQUIT");
  await ended;
  rmSync(folder, { recursive: true, force: true });
  await database.remove();
});

async function answering(server: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await asOwner(async (client) => void (await client.query("select 1")), server);
    } catch (error) {
      if (tries === 200) throw error;
      await delay(100);
    }
  }
}

test.skipIf(!isPossible)("it is refused for writing and for reading until it is promoted", async () => {
  await expect(openPostgresStore(url, () => startMs, { partitions: 1 })).rejects.toThrow(StartError);
  await expect(openPostgresStore(url, () => startMs, { partitions: 1 })).rejects.toThrow(/in recovery/);
  await expect(openPostgresReads(url, () => startMs)).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable" });

  await asOwner((client) => client.query("select pg_promote()"), url);
  const reads = await openPostgresReads(url, () => startMs);
  expect(await reads.head(0)).toMatchObject({ sequence: 2n });
  await reads.close();
  const { store } = await openPostgresStore(url, () => startMs, { partitions: 1 });
  expect(await executorOn(store, storyRules).execute([toCommand(add("1"))])).toMatchObject([{ type: "applied", record: { sequence: 3n } }]);
  await store.close();
});
