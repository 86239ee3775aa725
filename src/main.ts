// The process's edge: arguments, the log, signals and exit codes. Exit codes: 0 asked to stop, 1 failed, 2 wrong configuration; of `verify` and `copy` see there.

import { ConfigError, readConfig, readCopyConfig, readVerifyConfig, type Config, type Start } from "./config.ts";
import { databaseText } from "./config/database-text.ts";
import { formatListenAddress, isLoopback } from "./config/listen-address.ts";
import { endStartPhase } from "./end-start-phase.ts";
import { createLogger, endLog, flushLog, type Logger } from "./log.ts";
import { asStartError } from "./start-error.ts";
import { version } from "./version.ts";

/** From the first signal to a forced exit: half a second short of the 10 s within which the process promises to be gone. */
const stopTimeoutMs = 9500;

/** Ctrl-C reaches the process from the terminal and again from npm. What comes this soon after the first signal is the same wish, not impatience. */
const sameSignalMs = 300;

/** Without a command the service is started. The flags of `verify` are the service's, most of which say nothing to it; `copy` has its own. */
const [command, ...afterCommand] = process.argv.slice(2);
if (command === "verify") await verify();
else if (command === "copy") await copy();
else await serve();

async function verify(): Promise<void> {
  const start = readStart(() => readVerifyConfig(afterCommand, process.env));
  if (start.kind !== "run") process.stdout.write(start.text);
  else {
    const { verifyCommand } = await import("./verify-command.ts");
    endStartPhase();
    process.exitCode = await verifyCommand(start.config);
  }
}

async function copy(): Promise<void> {
  const start = readStart(() => readCopyConfig(afterCommand, process.env));
  if (start.kind !== "run") process.stdout.write(start.text);
  else {
    const { copyCommand } = await import("./copy-command.ts");
    endStartPhase();
    process.exitCode = await copyCommand(start.config);
  }
}

async function serve(): Promise<void> {
  const start = readStart(() => readConfig(process.argv.slice(2), process.env));
  if (start.kind !== "run") process.stdout.write(start.text);
  else await run(start.config);
}

function readStart<Wanted>(read: () => Start<Wanted>): Start<Wanted> {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return exitWithSentence(error.message, 2);
    throw error;
  }
}

async function run(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  process.on("uncaughtException", (error) => exitWithFailure(logger, error, "a defect: an exception that nothing caught"));
  process.on("unhandledRejection", (reason) => exitWithFailure(logger, reason, "a defect: a rejection that nothing handled"));

  // Imported only now: --help and a wrong setting are answered without loading the database's native module.
  const starting = import("./start.ts").then(({ startApp }) => startApp(config, logger));
  // Before the start is over, so that a signal during a long migration ends in an orderly stop too.
  stopOnSignal(starting, logger);

  const app = await starting.catch((error: unknown) => {
    const startError = asStartError(error, formatListenAddress(config.listen));
    return startError === undefined ? exitWithFailure(logger, error, "the start failed") : exitWithSentence(startError.message, 1);
  });
  const address = formatListenAddress(app);
  logger.info({ address, version, database: databaseText(config.database) }, "listening");
  if (!isLoopback(app.host)) logger.warn({ address }, "serving everybody who can connect, unencrypted and unauthenticated (WALLET_INSECURE)");
  exitWithFailure(logger, await app.failed, "the store can no longer be trusted");
}

/** The first SIGTERM, SIGINT or SIGHUP (the terminal was closed) stops the app in order; a later one (but one that comes with the first), or too long a stop, ends the process at once with exit code 1. */
function stopOnSignal(starting: Promise<{ stop(): Promise<void> }>, logger: Logger): void {
  let firstSignalMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstSignalMs !== undefined) {
      if (performance.now() - firstSignalMs >= sameSignalMs) exitWithFailure(logger, undefined, `${signal} came again: exiting at once`);
      return;
    }
    firstSignalMs = performance.now();
    logger.info({ signal }, "stopping");
    setTimeout(() => exitWithFailure(logger, undefined, `not stopped ${stopTimeoutMs} ms after ${signal}: exiting at once`), stopTimeoutMs);
    starting
      // A start that failed has been reported, and has ended the process, by `run`.
      .then((app) => app.stop())
      .then(async () => {
        logger.info("stopped");
        await endLog(logger);
        process.exit(0);
      })
      .catch((error: unknown) => exitWithFailure(logger, error, "the stop failed"));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, onSignal);
}

/** For people: what happened, in plain text, and no stack. */
function exitWithSentence(sentence: string, exitCode: 1 | 2): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(exitCode);
}

function exitWithFailure(logger: Logger, cause: unknown, message: string): never {
  logger.fatal(cause === undefined ? {} : { err: cause }, message);
  flushLog(logger);
  process.exit(1);
}
