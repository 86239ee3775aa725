// Servers tell each other that a journal has grown, so that a watcher on one soon sees what another commits. Only a hint: whoever misses one looks by itself once a second.

import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { fromStoredText } from "./stored-text.ts";

const channel = "wallet_grown";

/** Between two notices of one server, in milliseconds; one stands for everything that was committed meanwhile. Each is a small transaction of its own. */
const noticeMs = 20;

/** After a lost connection, in milliseconds, before the next is tried: meanwhile watchers look by themselves as often. */
const reconnectMs = 1_000;

/** How long a server may take to accept the connection, or to answer on it, in milliseconds. */
const connectMaxMs = 2_000;

/** How long a server may take to take leave, in milliseconds: it may be gone, and nothing is lost without it. */
const leaveMaxMs = 500;

export interface GrowthNotices {
  /** This server has committed something. Never waits and never fails. */
  tell(): void;
  /** Calls this from now on when another server has. */
  whenTold(listener: () => void): void;
  close(): Promise<void>;
}

/** Listens and tells on a connection of its own, which is made anew whenever it is lost. Its absence costs watchers a second, and nobody anything else. */
export function openGrowthNotices(url: string): GrowthNotices {
  const notices = new Notices(url);
  void notices.connect();
  return notices;
}

class Notices implements GrowthNotices {
  readonly #url: string;
  #listener = (): void => {};
  #client: Client | undefined;
  #reconnecting: NodeJS.Timeout | undefined;
  #isDue = false;
  #isTelling = false;
  #isClosed = false;

  constructor(url: string) {
    this.#url = url;
  }

  whenTold(listener: () => void): void {
    this.#listener = listener;
  }

  tell(): void {
    this.#isDue = true;
    if (!this.#isTelling) void this.#tellWhileDue();
  }

  async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.#url,
      application_name: "wallet notices",
      connectionTimeoutMillis: connectMaxMs,
      query_timeout: connectMaxMs,
      statement_timeout: connectMaxMs,
      keepAlive: true,
      types: { getTypeParser: () => fromStoredText },
    });
    client.on("error", () => {});
    client.on("end", () => this.#lose(client));
    client.on("notification", () => this.#listener());
    try {
      await client.connect();
      // A standby lets nobody listen, and may be the primary a second later.
      await client.query(`listen ${channel}`);
    } catch {
      this.#give(client);
      return this.#lose(client);
    }
    if (this.#isClosed || this.#client !== undefined) return this.#give(client);
    this.#client = client;
    // Something may have happened while nobody listened.
    this.#listener();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#reconnecting);
    if (this.#client !== undefined) await Promise.race([this.#client.end().catch(() => {}), delay(leaveMaxMs, undefined, { ref: false })]);
  }

  /** One notice at a time. Whoever does not hear it looks by itself. */
  async #tellWhileDue(): Promise<void> {
    this.#isTelling = true;
    while (this.#isDue && !this.#isClosed) {
      await delay(noticeMs, undefined, { ref: false });
      this.#isDue = false;
      const client = this.#client;
      // A server that does not answer may be gone without a word: the connection is given up for another.
      await client?.query(`notify ${channel}`).catch(() => this.#give(client));
    }
    this.#isTelling = false;
  }

  /** Its end, which comes at once where it owes an answer, has another one made. */
  #give(client: Client): void {
    client.end().catch(() => {});
  }

  #lose(client: Client): void {
    // One that was given up long ago may end only now, when another listens.
    if (this.#client !== undefined && this.#client !== client) return;
    this.#client = undefined;
    if (this.#isClosed) return;
    clearTimeout(this.#reconnecting);
    this.#reconnecting = setTimeout(() => void this.connect(), reconnectMs).unref();
  }
}
