// Starts the service for a test, on a free port and a ledger of its own: in the test's process, or as the real process that users start.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { startApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { keepTypeStripping } from "./type-stripping.ts";

export interface Service {
  /** `127.0.0.1:12345`. */
  readonly address: string;
  readonly url: string;
  /** The ledger's file; it stays until `remove`. There is none where a flag named another database. */
  readonly databasePath: string;
  /** What was logged as a warning or worse: a defect says so here and nowhere else. */
  readonly complaints: readonly string[];
  /** The request ids of the calls that were logged, by a service that was spawned. */
  readonly calls: readonly string[];
  /** Stops the service in order; once is enough. Rejects where it does not end well. */
  stop(): Promise<void>;
  /** Stops it and removes its ledger. */
  remove(): Promise<void>;
}

const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));

/** Starts the app in this process. `flags` are those of the command line, such as `--queue-max=1`. */
export function startService(...flags: string[]): Promise<Service> {
  return startServiceBy("short", ...flags);
}

/** The same with all unary calls going this way through the server; see docs/decisions/0014. */
export async function startServiceBy(unaryWay: "short" | "long", ...flags: string[]): Promise<Service> {
  const place = newLedger(flags);
  const read = readConfig(place.flags, {});
  if (read.kind !== "run") throw new Error(`${flags.join(" ")} start nothing`);
  const complaints: string[] = [];
  keepTypeStripping();
  const app = await startApp(read.config, pino({ level: "warn" }, { write: (line: string) => void complaints.push(line) }), { unaryWay });
  return serviceAt(`${app.host}:${app.port}`, place, { complaints, calls: [] }, () => app.stop());
}

/** Starts `node bin/wallet.js` and waits until it says that it listens. Stopping is SIGTERM, after which it must end with code 0. */
export async function spawnService(...flags: string[]): Promise<Service> {
  const place = newLedger(flags);
  const child = spawn(process.execPath, [bin, ...place.flags], { env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  const complaints: string[] = [];
  const calls: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    void exited.then(() => reject(new Error(`the service ended before it listened: ${complaints.join("\n")}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (line.includes('"msg":"listening"')) resolve((JSON.parse(line) as { address: string }).address);
      else if (!/^\{"level":"(info|debug)".*\}$/.test(line)) complaints.push(line);
      else if (line.includes('"msg":"call"')) calls.push((JSON.parse(line) as { requestId: string }).requestId);
    });
  });
  return serviceAt(address, place, { complaints, calls }, async () => {
    child.kill("SIGTERM");
    const [exitCode, signal] = await exited;
    if (exitCode !== 0) throw new Error(`the service ended with code ${exitCode}, signal ${signal}: ${complaints.join("\n")}`);
  });
}

interface Place {
  readonly folder: string;
  readonly databasePath: string;
  readonly flags: readonly string[];
}

/** A file of its own, unless these flags name a database. */
function newLedger(flags: readonly string[]): Place {
  const folder = mkdtempSync(join(tmpdir(), "wallet-e2e-"));
  const databasePath = join(folder, "wallet.db");
  const own = flags.some((flag) => flag.startsWith("--database-url=")) ? [] : [`--database-url=sqlite:${databasePath}`];
  return { folder, databasePath, flags: ["--listen=127.0.0.1:0", ...own, ...flags] };
}

function serviceAt(address: string, { folder, databasePath }: Place, log: Pick<Service, "complaints" | "calls">, end: () => Promise<void>): Service {
  let ended: Promise<void> | undefined;
  const stop = (): Promise<void> => (ended ??= end());
  return {
    address,
    url: `http://${address}`,
    databasePath,
    ...log,
    stop,
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
