// Since when the database fails everybody: it is waited for once, and not by every batch in its turn, so that whoever asks meanwhile hears of it soon.

/** How long a transaction that was not committed is begun again, in milliseconds: a server takes some seconds to restart, and whoever asked is to hear something before a process that goes down ends, after 10 s. */
const waitMaxMs = 4_000;

/** The pause, in milliseconds, between two tries once it has been waited for: what comes meanwhile hears what the last one came to. */
const lookAgainMs = 250;

/** After so many milliseconds in which nobody tried, a failure is another outage's: no try takes as long. */
const forgottenMs = 10_000;

/** What is known of it from the tries of all batches. */
export class Outage {
  #sinceMs: number | undefined;
  #lastMs = -Infinity;
  #failure: unknown;

  /** A try that began then has failed, whatever it was about. */
  failed(beganMs: number, failure: unknown): void {
    if (beganMs - this.#lastMs > forgottenMs) this.#sinceMs = undefined;
    this.#sinceMs ??= beganMs;
    this.#lastMs = performance.now();
    this.#failure = failure;
  }

  /** The database has answered. */
  end(): void {
    this.#sinceMs = undefined;
  }

  /** Until when a transaction is begun again. */
  get deadlineMs(): number {
    return (this.#sinceMs ?? performance.now()) + waitMaxMs;
  }

  /** What the last try came to, where it has been waited for and another one is not due yet; undefined where it is to be tried. */
  get knownFailure(): unknown {
    const nowMs = performance.now();
    return this.#sinceMs !== undefined && nowMs > this.#sinceMs + waitMaxMs && nowMs < this.#lastMs + lookAgainMs ? this.#failure : undefined;
  }
}
