// Wires the parts: the writer thread, where the engine has one, and in front of it as many network threads as are wanted, of which this one is the first.

import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { startSweeping } from "./ledger/overdue-holds.ts";
import type { WriterThread } from "./ledger/writer-thread.ts";
import { createValidator, startNetwork, type Network } from "./network.ts";
import { shareOf, startNetworkThreads, type NetworkThreads } from "./network-threads.ts";
import { assertNobodyListens } from "./server/listener.ts";
import { startWriter } from "./start-writer.ts";

/** A running service. */
export interface App {
  readonly host: string;
  /** The real one, also where 0 was asked for. */
  readonly port: number;
  /** Resolves when the ledger can no longer be trusted, or a thread is gone, and the process is to stop. */
  readonly failed: Promise<Error>;
  /** Not ready, no new connections; answers what was accepted, makes it durable and lets go of everything. */
  stop(): Promise<void>;
}

export interface AppOptions {
  /** The writer thread, which may be under way already; undefined where the engine has none. */
  readonly opening?: Promise<WriterThread | undefined>;
  /** For tests; see docs/decisions/0014. */
  readonly unaryWay?: "short" | "long";
}

/** How long answers may take to leave after the ledger failed, in milliseconds: they are small and wait for nothing. */
const lastAnswersMs = 1_000;

/** How long at most all threads are waited for to close their ports, in milliseconds: each takes half a second at most. */
const portsMs = 600;

/** Starts the service. Throws StartError where its surroundings do not permit it. */
export async function startApp(config: Config, logger: Logger, { opening = startWriter(config), unaryWay }: AppOptions = {}): Promise<App> {
  // Compiled while the writer thread opens the ledger.
  const validate = createValidator();
  const writer = await opening;
  let isReady = true;
  let network: Network | undefined;
  let others: NetworkThreads | undefined;
  try {
    const threads = config.networkThreads;
    const share = shareOf(config, threads);
    const isPortShared = threads > 1;
    if (isPortShared) await assertNobodyListens(config.listen);
    const forReaders = writer?.forReaders;
    network = await startNetwork({ config: share, forReaders, door: writer, logger, validate, isPortShared, isReady: () => isReady, unaryWay });
    const doors = Array.from({ length: threads - 1 }, () => writer?.openDoor());
    others = await startNetworkThreads({ config: { ...share, listen: { ...config.listen, port: network.port } }, forReaders }, doors, logger);
  } catch (error) {
    await network?.drain();
    await network?.close();
    await writer?.close();
    throw error;
  }

  const { host, port, reads, submit, stopAccepting, drain, abandon, close } = network;
  const sweeper = config.autoRelease ? startSweeping(reads, submit, (error) => logger.warn({ err: error }, "overdue holds could not be released")) : undefined;
  const drainAll = async (): Promise<void> => {
    isReady = false;
    // First of all: who is sent away comes back at once, and would be taken by a thread that is about to close its port. One that hangs is not waited for.
    await Promise.race([Promise.all([stopAccepting(), others.stopAccepting()]), setTimeout(Math.min(portsMs, config.limits.drainTimeoutMs / 2))]);
    await Promise.all([drain(), others.drain()]);
  };
  return {
    host,
    port,
    failed: Promise.race([...(writer === undefined ? [] : [writer.failed]), others.failed]).then(async (error) => {
      // Whoever waits is told that the outcome is unknown before the process ends. The ledger is left as it is: closing it would write.
      await Promise.race([drainAll(), setTimeout(lastAnswersMs)]);
      abandon();
      await Promise.race([others.abandon(), setTimeout(lastAnswersMs)]);
      return error;
    }),
    async stop() {
      // A sweep may be waiting for a database that does not answer, as calls may.
      await Promise.all([drainAll(), sweeper?.stop()]);
      // Readers first: the last connection to close moves the write-ahead log into the database file, and only the writer may.
      await Promise.all([close(), others.close()]);
      await writer?.close();
    },
  };
}
