// One thread's share of the service: it reads the ledger, has commands decided at its end of it, and answers on the port.

import type { Logger } from "pino";
import { ReportService } from "../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../gen/wallet/v1/wallet_service_pb.ts";
import { createAroundUnary, createInterceptors } from "./api/interceptors.ts";
import { reportService } from "./api/report-service.ts";
import { createRequestValidator, type RequestValidator } from "./api/validation.ts";
import { walletService } from "./api/wallet-service.ts";
import type { Config } from "./config.ts";
import type { Answer } from "./domain/answer.ts";
import { partitionsTouchedBy } from "./domain/batch.ts";
import type { ReleaseHolds } from "./domain/command.ts";
import { currencyRegistry } from "./domain/currency.ts";
import { CommandQueue, type Lanes } from "./ledger/command-queue.ts";
import { announcing } from "./ledger/executor.ts";
import { LedgerFeed } from "./ledger/ledger-feed.ts";
import { withoutOverdue } from "./ledger/overdue-holds.ts";
import { PartitionLanes, type LaneLimits } from "./ledger/partition-lanes.ts";
import { Verifier } from "./ledger/verifier.ts";
import type { WriterDoor } from "./ledger/writer-door.ts";
import { openLedgerEnds } from "./open-ledger-ends.ts";
import { startServer } from "./server/server.ts";
import type { ForReaders, Reads } from "./store/store.ts";

const services = [WalletService, ReportService];

/** They end when the caller has seen enough, or when the work is done. */
const lastingMethods = [ReportService.method.watchOperations, ReportService.method.verifyLedger];

/** A validator of every request; made beforehand, it is compiled while something else is waited for. */
export function createValidator(): RequestValidator {
  return createRequestValidator(services);
}

export interface NetworkOptions {
  /** With this thread's share of what is bounded, and the real port unless it is the first. */
  readonly config: Config;
  /** What the writer thread has for those who read, where the engine has one. */
  readonly forReaders: ForReaders | undefined;
  /** To the writer thread, where the engine has one. */
  readonly door: Pick<WriterDoor, "execute" | "whenGrown"> | undefined;
  readonly logger: Logger;
  readonly validate: RequestValidator;
  /** Other threads of this process listen on the same port. */
  readonly isPortShared: boolean;
  readonly isReady: () => boolean;
  /** For tests; see docs/decisions/0014. */
  readonly unaryWay?: "short" | "long" | undefined;
}

export interface Network {
  readonly host: string;
  /** The real one, also where 0 was asked for. */
  readonly port: number;
  readonly reads: Reads;
  submit(command: ReleaseHolds): Promise<Answer>;
  /** Takes the connections that wait, for half a second at most, and no further ones; those that are open are served as before. */
  stopAccepting(): Promise<void>;
  /** Not ready, no new connections; answers what was accepted, and ends verifications, which may be long and change nothing. */
  drain(): Promise<void>;
  /** Closes every connection at once. */
  abandon(): void;
  /** Waits for what was accepted and lets go of the ledger. After `drain`. */
  close(): Promise<void>;
}

/** Opens the port and serves. Throws where the ledger cannot be read or the address cannot be had. */
export async function startNetwork({ config, forReaders, door, logger, validate, isPortShared, isReady, unaryWay }: NetworkOptions): Promise<Network> {
  const { assets, holdPeriodMs, autoRelease, idempotencyRetentionMs, database, limits } = config;
  const ends = await openLedgerEnds(config, { door, forReaders });
  const { reads } = ends;
  for (const reason of ends.durability.reasons) logger.warn({ reason }, "answers do not mean durable: this database may lose what was acknowledged");
  const feed = new LedgerFeed(reads, config);
  ends.whenGrown(() => feed.hint());
  const queue = new CommandQueue(announcing(ends.executor, () => feed.hint()), config, ends.lanes && lanesOf(reads.partitionCount, ends.lanes));
  const verifier = new Verifier(new URL("./verifier.ts", import.meta.url), { database, idempotencyRetentionMs });
  const submit = (command: ReleaseHolds): Promise<Answer> => queue.submit(command);
  const rules = { currencies: currencyRegistry(assets), holdPeriodMs, autoRelease, idempotencyRetentionMs };
  const ledger = { queue, feed, verifier, reads: autoRelease ? withoutOverdue(reads, submit) : reads, rules };
  const close = async (): Promise<void> => {
    await queue.close();
    await ends.close();
  };
  try {
    const server = await startServer({
      ...config.listen,
      isPortShared,
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
      isReady,
      isDurable: ends.durability.durable,
      logger,
    });
    const { host, port } = server;
    return { host, port, reads, submit, stopAccepting: () => server.stopAccepting(), drain: async () => void (await Promise.all([verifier.close(), server.drain()])), abandon: () => server.abandon(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Batches of different partitions go side by side; a release of everybody goes from partition to partition by itself. */
function lanesOf(partitionCount: number, limits: LaneLimits): Lanes {
  return { dispatch: new PartitionLanes(limits), partitionsOf: (command) => partitionsTouchedBy(command, partitionCount) };
}
