// The processes of a run: servers that are measured and helpers that measure, none of which outlives the run.

import { fork, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ServerPlace } from "./load.ts";
import { freePort } from "../scripts/free-port.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const startTimeoutMs = 30_000;
const lookIntervalMs = 2;

export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** From the spawn until it was ready, in milliseconds. */
  readonly readyMs: number;
  /** Ends it in order and waits until it is gone. */
  stop(): Promise<void>;
}

/** What a load is told of a server. */
export function placeOf({ port, pid }: Server): ServerPlace {
  return { port, pid };
}

const alive = new Set<ChildProcess>();
const folders: string[] = [];
const ends: (() => void)[] = [];

/** Ends every process and removes every folder of the run, whatever happened. */
export function cleanUp(): void {
  for (const child of alive) child.kill("SIGKILL");
  for (const end of ends.splice(0)) end();
  // A process that is just ending may still write into one.
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
process.on("exit", cleanUp);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** Has this called at the end of the run, whatever happened: it may wait for nothing. */
export function atTheEnd(end: () => void): void {
  ends.push(end);
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "wallet-bench-"));
  folders.push(folder);
  return folder;
}

/** The service as it is shipped: every setting at its default but for these flags, the log at `info`, its lines going to /dev/null. */
export async function startWallet(databasePath: string, ...flags: readonly string[]): Promise<Server> {
  const port = await freePort();
  return startServer({ name: "wallet", args: [...walletArgs(port, databasePath), ...flags], port, isUp: isReady });
}

/** The same on a ledger in PostgreSQL, with its settings in the environment. */
export async function startPostgresWallet(databaseUrl: string, env: Environment = {}): Promise<Server> {
  const port = await freePort();
  // Not as an argument: the URL has a password in it.
  const all = { ...env, WALLET_DATABASE_URL: databaseUrl };
  const args = [...startArguments(all), `--listen=127.0.0.1:${port}`];
  return startServer({ name: "wallet", args, port, isUp: isReady, env: all });
}

/** The first under Node's profiler: every thread writes a .cpuprofile into the folder when the process stops. */
export async function startProfiledWallet(databasePath: string, profileFolder: string): Promise<Server> {
  const port = await freePort();
  return startServer({ name: "wallet", args: walletArgs(port, databasePath), port, isUp: isReady, env: profilerInto(profileFolder) });
}

/** The one on PostgreSQL in the same way. */
export function startProfiledPostgresWallet(databaseUrl: string, profileFolder: string): Promise<Server> {
  return startPostgresWallet(databaseUrl, profilerInto(profileFolder));
}

/** The first with V8 telling of every collection of garbage in this file. */
export async function startTracedWallet(databasePath: string, stdoutPath: string): Promise<Server> {
  const port = await freePort();
  // V8's own flags hold for all threads of a process; Node takes this one as an argument only.
  return startServer({ name: "wallet", args: ["--trace-gc", ...walletArgs(port, databasePath)], port, isUp: isReady, stdoutPath });
}

/** The original service's stand-in under gunicorn with so many processes, or undefined where Python, Flask or gunicorn is missing. */
export async function startFlaskWallet(databasePath: string, workers: number): Promise<Server | undefined> {
  if (spawnSync("python3", ["-c", "import flask, gunicorn"], { stdio: "ignore" }).status !== 0) return undefined;
  const port = await freePort();
  const args = ["-m", "gunicorn", `--workers=${workers}`, "--worker-class=sync", `--bind=127.0.0.1:${port}`, "--chdir=bench/servers", "flask-wallet:app"];
  return startServer({ name: "flask", program: "python3", args, port, isUp: isReady, env: { FLASK_WALLET_DATABASE: databasePath } });
}

/** What `npm start` gives to node in this environment. */
export function startArguments(env: Environment = {}): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { start: string } };
  return spawnSync("sh", ["-c", scripts.start.replace("exec node", "echo")], { encoding: "utf8", env: { ...cleanEnvironment(), ...env } }).stdout.trim().split(" ");
}

/** One of bench/servers, which take the port as their first argument. */
export async function startContender(name: string, ...args: string[]): Promise<Server> {
  const port = await freePort();
  return startServer({ name, args: [`bench/servers/${name}.ts`, String(port), ...args], port, isUp: isListening });
}

/** A helper of the run that takes orders and answers them one by one. */
export interface Helper<Order, Report> {
  ask(order: Order): Promise<Report>;
  stop(): void;
}

export function startHelper<Order extends object, Report>(script: string): Helper<Order, Report> {
  const child = fork(join(root, script), { cwd: root, stdio: ["ignore", "inherit", "inherit", "ipc"], env: cleanEnvironment() });
  keep(child);
  return {
    ask: (order) =>
      new Promise((resolve, reject) => {
        const onExit = (code: number | null): void => reject(new Error(`${script} ended with code ${code}`));
        child.once("exit", onExit);
        child.once("message", (message: { report: Report } | { error: string }) => {
          child.off("exit", onExit);
          if ("error" in message) reject(new Error(message.error));
          else resolve(message.report);
        });
        child.send(order);
      }),
    stop: () => void child.kill("SIGKILL"),
  };
}

type Environment = Readonly<Record<string, string>>;

interface Start {
  readonly name: string;
  /** This Node where it is not said. */
  readonly program?: string;
  readonly args: string[];
  readonly port: number;
  readonly isUp: (port: number) => Promise<boolean>;
  readonly env?: Environment;
  /** Where what it writes to stdout goes; nowhere, where it is not said. */
  readonly stdoutPath?: string;
}

/** Not as arguments: whatever starts the service's process, its threads included, hands the environment on. */
function profilerInto(folder: string): Environment {
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` };
}

function walletArgs(port: number, databasePath: string): string[] {
  return [...startArguments(), `--listen=127.0.0.1:${port}`, `--database-url=sqlite:${databasePath}`];
}

async function startServer({ name, program = process.execPath, args, port, isUp, env = {}, stdoutPath = "/dev/null" }: Start): Promise<Server> {
  const stdout = openSync(stdoutPath, "w");
  const startMs = performance.now();
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", stdout, "ignore"], env: { ...cleanEnvironment(), ...env } });
  closeSync(stdout);
  keep(child);
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  while (!(await isUp(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode} instead of starting`);
    if (performance.now() - startMs > startTimeoutMs) throw new Error(`${name} did not start within ${startTimeoutMs} ms`);
    await sleep(lookIntervalMs);
  }
  const readyMs = performance.now() - startMs;
  const stop = (): Promise<void> => {
    child.kill("SIGTERM");
    return gone;
  };
  return { name, pid: child.pid!, port, readyMs, stop };
}

function keep(child: ChildProcess): void {
  alive.add(child);
  child.once("exit", () => alive.delete(child));
}

/** Nobody's own settings get into the measurement. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("WALLET_")));
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port, path: "/readyz", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on("error", () => resolve(false));
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
