// The log: one JSON object a line on stderr, so that stdout stays free. Whoever reads it may be slow or stuck; calls never wait for it.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { Logger } from "pino";

export type { Logger };

/** From the loudest failure to everything; `silent` writes nothing at all. */
export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

/** What must never be readable in a log, whatever object it arrives in. */
const secretNames = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "apiKey", "api_key", "password", "token"];

/** Pino's wildcard stands for exactly one level, so each depth that a log call of ours can have is written out. */
const secretPaths = secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

/** A logger that writes lines of this level and above to stderr (file descriptor 2). */
export function createLogger(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: timeOfLine,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: "[redacted]" },
    },
    new GatheringWriter(),
  );
}

/** How long a line waits for others that are written with it, in milliseconds: a write for each would cost more than the line. What is lost when the process is killed is as old. */
const gatherMs = 10;

/** Writes lines in their order, several at a time. */
class GatheringWriter {
  // Asynchronous: a synchronous write to a pipe that nobody reads would stop the network thread.
  readonly #file = pino.destination({ dest: 2, sync: false, minLength: 0, maxLength: bufferMaxBytes });
  #lines = "";
  #isEnded = false;

  write(line: string): void {
    if (this.#isEnded) return;
    if (this.#lines === "") setTimeout(() => this.#handOver(), gatherMs);
    this.#lines += line;
  }

  /** Writes what there is, now. */
  flushSync(): void {
    this.#handOver();
    this.#file.flushSync();
  }

  /** Writes what there is and takes no more. Resolves when it is written; where that fails, too. */
  async end(): Promise<void> {
    const closed = once(this.#file, "close").catch(() => undefined);
    this.#handOver();
    this.#isEnded = true;
    this.#file.end();
    await closed;
  }

  #handOver(): void {
    const lines = this.#lines;
    this.#lines = "";
    if (lines !== "") this.#file.write(lines);
  }
}

let lastMs = 0;
let lastTime = "";

/** The time as pino's `isoTime` writes it, made once a millisecond. */
function timeOfLine(): string {
  const nowMs = Date.now();
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastTime = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return lastTime;
}

/** Lines that wait for a stuck reader, in bytes; beyond them lines are dropped. Some 30,000 calls: minutes of an ordinary load. */
const bufferMaxBytes = 8 * 1024 * 1024;

/** How long the last lines of an orderly end may take to be written, in milliseconds: a stuck reader must not hold the process up. */
const endTimeoutMs = 500;

/** Writes all lines in their order and takes no more: to be awaited before an orderly end. Never rejects. */
export async function endLog(logger: Logger): Promise<void> {
  const destination = writerOf(logger);
  if (destination === undefined) return;
  await Promise.race([destination.end(), sleep(endTimeoutMs)]);
}

/** Writes what is buffered, now: to be called before the process ends, whose last lines are the ones that matter. Never throws. */
export function flushLog(logger: Logger): void {
  try {
    writerOf(logger)?.flushSync();
  } catch {
    // The reader is gone or stuck; there is nobody to tell.
  }
}

/** Where a logger of `createLogger` writes to. */
function writerOf(logger: Logger): GatheringWriter | undefined {
  const { [pino.symbols.streamSym]: destination } = logger as unknown as Record<symbol, unknown>;
  return destination instanceof GatheringWriter ? destination : undefined;
}
