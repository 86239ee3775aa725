// The network threads beside the main one, which share its port: what the system gives each of them it serves by itself.

import { Worker, type MessagePort } from "node:worker_threads";
import type { Config } from "./config.ts";
import { writeLines, type Logger } from "./log.ts";
import type { FromNetwork, NetworkSettings, ToNetwork } from "./network-messages.ts";

export interface NetworkThreads {
  /** Resolves when one of them has ended by itself, which is a defect, or can no longer trust the writer. */
  readonly failed: Promise<Error>;
  // As Network's, of all of them.
  stopAccepting(): Promise<void>;
  drain(): Promise<void>;
  abandon(): Promise<void>;
  /** And ends the threads. */
  close(): Promise<void>;
}

/** What each of so many threads may have of what is bounded for all. Not of the queue: a full batch has to fit into one beside others. */
export function shareOf(config: Config, threads: number): Config {
  const share = (max: number): number => Math.ceil(max / threads);
  const { watchersMax, limits } = config;
  return { ...config, watchersMax: share(watchersMax), limits: { ...limits, connectionsMax: share(limits.connectionsMax) } };
}

/** What all of them are started with. */
type SharedSettings = Omit<NetworkSettings, "door">;

/** Starts one thread for each door to the writer thread (undefined where the engine has none), whose log lines come out here, and waits until all of them serve. Throws where one cannot; then none is left. */
export async function startNetworkThreads(shared: SharedSettings, doors: readonly (MessagePort | undefined)[], logger: Logger): Promise<NetworkThreads> {
  const threads = doors.map((door) => new NetworkThread({ ...shared, door }, logger));
  const all = async (what: (thread: NetworkThread) => Promise<void>): Promise<void> => void (await Promise.all(threads.map(what)));
  const close = async (): Promise<void> => {
    await all((thread) => thread.ask("close"));
    await all((thread) => thread.end());
  };
  try {
    await all((thread) => thread.ready);
  } catch (error) {
    await all((thread) => thread.end());
    throw error;
  }
  return {
    failed: Promise.race(threads.map((thread) => thread.failed)),
    stopAccepting: () => all((thread) => thread.ask("stopAccepting")),
    drain: () => all((thread) => thread.ask("drain")),
    abandon: () => all((thread) => thread.ask("abandon")),
    close,
  };
}

class NetworkThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<Error>();
  readonly #done = { stopAccepting: Promise.withResolvers<void>(), drain: Promise.withResolvers<void>(), abandon: Promise.withResolvers<void>(), close: Promise.withResolvers<void>() };
  #isEnding = false;

  constructor(settings: NetworkSettings, logger: Logger) {
    const { door } = settings;
    this.#worker = new Worker(new URL("./network-thread.ts", import.meta.url), { workerData: settings, transferList: door === undefined ? [] : [door], name: "network" });
    this.#worker.on("message", (message: FromNetwork) => {
      if (message.type === "log") writeLines(logger, message.lines);
      else if (message.type === "failed") this.#failed.resolve(new Error(message.message));
      else if (message.type === "ready") this.#ready.resolve();
      else if (message.type === "notStarted") this.#ready.reject(new Error(message.message));
      else this.#done[message.what].resolve();
    });
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", (code) => this.#fail(new Error(`a network thread ended with code ${code}`)));
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** Resolves when it is done, or when nobody is left to do it. */
  ask(what: ToNetwork): Promise<void> {
    this.#worker.postMessage(what);
    return this.#done[what].promise;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#ready.reject(error);
    for (const { resolve } of Object.values(this.#done)) resolve();
    if (!this.#isEnding) this.#failed.resolve(error);
  }
}
