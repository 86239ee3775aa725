// The log: one JSON object a line on stderr, so that stdout stays free and a line is never lost when the process ends.

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
    // Synchronous: a buffered line would be lost by process.exit, and the last lines before an exit are the ones that matter.
    pino.destination({ dest: 2, sync: true }),
  );
}
