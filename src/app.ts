// Wires the parts: the writer thread, the reads, the services and the server. The only place, beside the writer thread's entry, that names an engine.

import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import { ReportService } from "../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../gen/wallet/v1/wallet_service_pb.ts";
import { createAroundUnary, createInterceptors } from "./api/interceptors.ts";
import { reportService } from "./api/report-service.ts";
import { createRequestValidator } from "./api/validation.ts";
import { walletService } from "./api/wallet-service.ts";
import type { Config } from "./config.ts";
import type { Answer } from "./domain/answer.ts";
import type { ReleaseHolds } from "./domain/command.ts";
import { currencyRegistry } from "./domain/currency.ts";
import { CommandQueue } from "./ledger/command-queue.ts";
import { announcing } from "./ledger/executor.ts";
import { OperationFeed } from "./ledger/operation-feed.ts";
import { startSweeping, withoutOverdue } from "./ledger/overdue-holds.ts";
import { Verifier } from "./ledger/verifier.ts";
import { startWriterThread, type WriterThread } from "./ledger/writer-thread.ts";
import { startServer } from "./server/server.ts";
import { openSqliteReads } from "./store/sqlite/sqlite-reads.ts";

/** A running service. */
export interface App {
  readonly host: string;
  /** The real one, also where 0 was asked for. */
  readonly port: number;
  /** Resolves when the ledger can no longer be trusted and the process is to stop. */
  readonly failed: Promise<Error>;
  /** Not ready, no new connections; answers what was accepted, makes it durable and lets go of everything. */
  stop(): Promise<void>;
}

/** How long answers may take to leave after the ledger failed, in milliseconds: they are small and wait for nothing. */
const lastAnswersMs = 1_000;

const services = [WalletService, ReportService];

/** They end when the caller has seen enough, or when the work is done. */
const lastingMethods = [ReportService.method.watchOperations, ReportService.method.verifyLedger];

/** Starts the service. Throws StartError where its surroundings do not permit it. `unaryWay` is for tests; see docs/decisions/0014. */
export async function startApp(config: Config, logger: Logger, unaryWay?: "short" | "long"): Promise<App> {
  const { assets, holdPeriodMs, autoRelease, idempotencyRetentionMs, database, limits } = config;
  const periods = { holdPeriodMs, autoRelease, idempotencyRetentionMs };
  const opening = startWriterThread(new URL("./writer.ts", import.meta.url), { databasePath: database.path, assets, ...periods });
  // Compiled while the writer thread opens the ledger.
  const validate = createRequestValidator(services);
  const writer = await opening;
  const reads = await opened(() => openSqliteReads(database.path, Date.now), writer);
  const feed = new OperationFeed(reads, config);
  const queue = new CommandQueue(announcing(writer, () => feed.hint()), config);
  const verifier = new Verifier(new URL("./verifier.ts", import.meta.url), { databasePath: database.path, idempotencyRetentionMs });
  let isReady = true;

  const submit = (command: ReleaseHolds): Promise<Answer> => queue.submit(command);
  const sweeper = autoRelease ? startSweeping(reads, submit, (error) => logger.warn({ err: error }, "overdue holds could not be released")) : undefined;
  const ledger = { queue, feed, verifier, reads: autoRelease ? withoutOverdue(reads, submit) : reads, rules: { currencies: currencyRegistry(assets), ...periods } };
  const closeLedger = async (): Promise<void> => {
    await sweeper?.stop();
    await queue.close();
    // Readers first: the last connection to close moves the write-ahead log into the database file, and only the writer may.
    await reads.close();
    await writer.close();
  };

  try {
    const server = await startServer({
      ...config.listen,
      limits,
      services,
      lastingMethods,
      routes(router, draining) {
        draining.addEventListener("abort", () => feed.close(), { once: true });
        router.service(WalletService, walletService(ledger)).service(ReportService, reportService(ledger));
      },
      interceptors: createInterceptors({ logger, validate }),
      aroundUnary: createAroundUnary({ logger, validate }),
      unaryWay,
      isReady: () => isReady,
      logger,
    });
    return {
      host: server.host,
      port: server.port,
      failed: writer.failed.then(async (error) => {
        isReady = false;
        // Whoever waits is told that the outcome is unknown before the process ends. The ledger is left as it is: closing it would write.
        await Promise.race([server.drain(), setTimeout(lastAnswersMs)]);
        return error;
      }),
      async stop() {
        isReady = false;
        // A verification may be long and changes nothing: it is ended, so that its callers are not waited for.
        await Promise.all([verifier.close(), server.drain()]);
        await closeLedger();
      },
    };
  } catch (error) {
    await closeLedger();
    throw error;
  }
}

/** What `open` opens; where it cannot, the writer thread does not outlive it. */
async function opened<T>(open: () => T, writer: WriterThread): Promise<T> {
  try {
    return open();
  } catch (error) {
    await writer.close();
    throw error;
  }
}
