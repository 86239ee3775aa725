// What the main thread and a network thread say to each other.

import type { MessagePort } from "node:worker_threads";
import type { Config } from "./config.ts";
import type { ForReaders } from "./store/store.ts";

/** What a network thread is started with. */
export interface NetworkSettings {
  readonly config: Config;
  readonly forReaders: ForReaders | undefined;
  /** To the writer thread; undefined where the engine has none. */
  readonly door: MessagePort | undefined;
}

/** Each is said back when it is done. */
export type ToNetwork = "stopAccepting" | "drain" | "abandon" | "close";

export type FromNetwork =
  | { readonly type: "log"; readonly lines: string }
  | { readonly type: "ready" }
  /** What is written through this thread's door can no longer be trusted. */
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "notStarted"; readonly message: string }
  | { readonly type: "done"; readonly what: ToNetwork };
