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

/** Where lines go: several at a time, in their order. */
export interface LineSink {
  write(lines: string): void;
  /** Writes what it still holds, now. */
  flushSync(): void;
  /** Resolves when everything is written; where that fails, too. */
  end(): Promise<void>;
}

/** A logger of lines of this level and above. Only the main thread may write them to stderr: several writers would tear each other's lines where the reader is slow. */
export function createLogger(level: LogLevel, sink: LineSink = stderrSink()): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: timeOfLine,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: "[redacted]" },
    },
    new GatheringWriter(sink),
  );
}

/** How long a line waits for others that are written with it, in milliseconds: a write for each would cost more than the line. What is lost when the process is killed is as old. */
const gatherMs = 10;

/** Writes lines in their order, several at a time. */
class GatheringWriter {
  readonly #sink: LineSink;
  #lines = "";
  #isEnded = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** One line or several, whole ones. */
  write(lines: string): void {
    if (this.#isEnded) return;
    if (this.#lines === "") setTimeout(() => this.#handOver(), gatherMs);
    this.#lines += lines;
  }

  /** Writes what there is, now. */
  flushSync(): void {
    this.#handOver();
    this.#sink.flushSync();
  }

  /** Writes what there is and takes no more. Resolves when it is written; where that fails, too. */
  async end(): Promise<void> {
    this.#handOver();
    this.#isEnded = true;
    await this.#sink.end();
  }

  #handOver(): void {
    const lines = this.#lines;
    this.#lines = "";
    if (lines !== "") this.#sink.write(lines);
  }
}

/** File descriptor 2. */
function stderrSink(): LineSink {
  // Asynchronous: a synchronous write to a pipe that nobody reads would stop the network thread.
  const file = pino.destination({ dest: 2, sync: false, minLength: 0, maxLength: bufferMaxBytes });
  // A terminal that was closed, or a disk that is full: from then on lines are lost, and calls go on. It is given up because sonic-boom 4 would try for ever to flush it, at the process's exit too.
  let isLost = false;
  file.on("error", () => {
    isLost = true;
    file.destroy();
  });
  return {
    write: (lines) => void (isLost || file.write(lines)),
    flushSync: () => void (isLost || file.flushSync()),
    async end() {
      if (isLost) return;
      const closed = once(file, "close").catch(() => undefined);
      file.end();
      await closed;
    },
  };
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

/** Writes lines that another thread's logger has made. */
export function writeLines(logger: Logger, lines: string): void {
  streamOf(logger).write(lines);
}

/** Where a logger of `createLogger` writes to. */
function writerOf(logger: Logger): GatheringWriter | undefined {
  const destination = streamOf(logger);
  return destination instanceof GatheringWriter ? destination : undefined;
}

function streamOf(logger: Logger): { write(lines: string): void } {
  return (logger as unknown as Record<symbol, { write(lines: string): void }>)[pino.symbols.streamSym]!;
}
