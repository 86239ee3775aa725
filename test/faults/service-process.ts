// The real service as a process of its own: started on a database, killed or asked to stop, and never left behind.

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "bin/wallet.js");
const node = join(root, "node_modules/.bin/node");

/** Starting takes half a second here; a loaded machine may need much more. */
const readyTimeoutMs = 120_000;
const lookIntervalMs = 5;

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Started {
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ended>;
  isOver(): boolean;
  /** What it has written to stderr so far. */
  stderr(): string;
  /** Sends the signal to the whole process group and waits until the process is gone. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  /** Stops the whole process group for so many milliseconds, as where a machine is suspended, and lets it go on. */
  pause(ms: number): Promise<void>;
}

export interface ServiceProcess extends Started {
  /** host:port. */
  readonly address: string;
  /** From the spawn to the first `/readyz` that said yes, in milliseconds. */
  readonly readyMs: number;
}

/** Where the ledger is: a SQLite file, or a database that a URL leads to. */
export type Place = { readonly databasePath: string } | { readonly databaseUrl: string };

export type StartOptions = Place & {
  /** Port 0 unless said otherwise. */
  readonly listen?: string;
  readonly flags?: readonly string[];
  /** A program and its arguments that start the service in turn, such as one that enters another name space. */
  readonly through?: readonly string[];
};

const alive = new Set<ChildProcess>();
const folders: string[] = [];
process.on("exit", killAll);

/** A new empty folder; `cleanUp` removes it. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `wallet-${name}-`));
  folders.push(folder);
  return folder;
}

/** Ends what is still alive and removes every folder. For afterAll. */
export function cleanUp(): void {
  killAll();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Starts the process and does not wait for anything. */
export function spawnService({ listen = "127.0.0.1:0", flags = [], through = [], ...place }: StartOptions): Started {
  const [program = node, ...args] = [...through, node, bin, `--listen=${listen}`, ...flags];
  // A file, not a pipe: what was written before a kill -9 is all there.
  const logPath = join(newFolder("log"), "stderr");
  const log = openSync(logPath, "w");
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("WALLET_"));
  // Not a flag: a URL may have a password in it.
  const environment = { ...Object.fromEntries(others), WALLET_DATABASE_URL: "databaseUrl" in place ? place.databaseUrl : `sqlite:${place.databasePath}` };
  const child = spawn(program, args, { cwd: root, env: environment, stdio: ["ignore", "ignore", log], detached: true });
  closeSync(log);
  return trackedProcess(child, logPath);
}

/** Starts the service and waits until it is ready. Throws with what it wrote where it does not get that far. */
export async function startService(options: StartOptions): Promise<ServiceProcess> {
  const startMs = performance.now();
  const started = spawnService(options);
  while (performance.now() - startMs < readyTimeoutMs && !started.isOver()) {
    const address = /"address":"([^"]+)".*"msg":"listening"/.exec(started.stderr())?.[1];
    if (address !== undefined && (await readiness(address)) === 200) return { ...started, address, readyMs: performance.now() - startMs };
    await sleep(lookIntervalMs);
  }
  if (!started.isOver()) await started.end("SIGKILL");
  throw new Error(`the service did not become ready; it wrote: ${started.stderr().slice(-2_000)}`);
}

/** The status of `/readyz`, or what keeps it from being asked, such as ECONNREFUSED. */
export async function readiness(address: string): Promise<number | string> {
  try {
    const response = await fetch(`http://${address}/readyz`, { headers: { connection: "close" } });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    const cause: unknown = (error as Error).cause;
    return cause instanceof Error && "code" in cause ? String(cause.code) : String(error);
  }
}

function trackedProcess(child: ChildProcess, logPath: string): Started {
  const { pid } = child;
  if (pid === undefined) throw new Error("the service's process could not be started");
  alive.add(child);
  const ended = new Promise<Ended>((resolve) => {
    child.once("exit", (exitCode, signal) => {
      alive.delete(child);
      resolve({ exitCode, signal });
    });
  });
  const end = (signal: NodeJS.Signals): Promise<Ended> => {
    signalGroup(child, signal);
    return ended;
  };
  const pause = async (ms: number): Promise<void> => {
    signalGroup(child, "SIGSTOP");
    await sleep(ms);
    signalGroup(child, "SIGCONT");
  };
  return { pid, ended, isOver: () => !alive.has(child), stderr: () => readFileSync(logPath, "utf8"), end, pause };
}

function killAll(): void {
  for (const child of alive) signalGroup(child, "SIGKILL");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
