// The log: one JSON object a line on stderr, so that stdout stays free. Whoever reads it may be slow or stuck; calls never wait for it.

import { once, type EventEmitter } from "node:events";
import { setTimeout } from "node:timers/promises";
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
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: "[redacted]" },
    },
    // Asynchronous, a line at a time: a synchronous write to a pipe that nobody reads would stop the network thread.
    pino.destination({ dest: 2, sync: false, minLength: 0, maxLength: bufferMaxBytes }),
  );
}

/** Lines that wait for a stuck reader, in bytes; beyond them lines are dropped. Some 30,000 calls: minutes of an ordinary load. */
const bufferMaxBytes = 8 * 1024 * 1024;

/** How long the last lines of an orderly end may take to be written, in milliseconds: a stuck reader must not hold the process up. */
const endTimeoutMs = 500;

/** Writes all lines in their order and takes no more: to be awaited before an orderly end. Never rejects. */
export async function endLog(logger: Logger): Promise<void> {
  const { [pino.symbols.streamSym]: destination } = logger as unknown as Record<symbol, EventEmitter & { end(): void }>;
  if (destination === undefined) return;
  const closed = once(destination, "close").catch(() => undefined);
  destination.end();
  await Promise.race([closed, setTimeout(endTimeoutMs)]);
}

/** Writes what is buffered, now: to be called before the process ends, whose last lines are the ones that matter. Never throws. */
export function flushLog(logger: Logger): void {
  const { [pino.symbols.streamSym]: destination } = logger as unknown as Record<symbol, { flushSync(): void }>;
  try {
    destination?.flushSync();
  } catch {
    // The reader is gone or stuck; there is nobody to tell.
  }
}
