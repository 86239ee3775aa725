// Sends calls of every kind that are made up at random through many clients, and files what became of every one of them.

import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { GrpcClient, Outcome } from "./grpc-client.ts";
import { verdictsOf, type Acknowledged, type Answer, type Intention } from "./intentions.ts";
import type { Random } from "./random.ts";
import { Wishes, type WishesOptions } from "./wishes.ts";

/** Reasons that are given where nothing was decided: the intention is still open. */
const undecidedReasons = new Set(["STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED", "DEADLINE_EXCEEDED", "CANCELED", "INTERNAL"]);

export interface WorkloadOptions extends WishesOptions {
  /** How many of a thousand calls are releases of everybody's holds. */
  readonly releasePermille?: number;
}

export class Workload {
  readonly #random: Random;
  readonly #releasePermille: number;
  readonly wishes: Wishes;
  #isStopped = false;
  /** Decided, and the caller knows it. Emptied by whoever has looked at them. */
  acknowledged: Acknowledged[] = [];
  /** Sent, and nothing is known of it. */
  unknown: Intention[] = [];
  /** Of how many calls, those of them and releases, the service itself said that nobody knows. */
  toldUnknown = 0;
  /** Refused with the assurance that nothing was done. */
  undone: { intention: Intention; reason: string }[] = [];
  /** Holds that were released by calls, as their answers say. */
  released = 0;
  /** Through which client each was sent last. */
  readonly sentThrough = new WeakMap<Intention, GrpcClient>();
  /** Calls that ended without a word from the service, by gRPC's name for it. */
  readonly silences = new Map<string, number>();

  constructor(random: Random, { releasePermille = 40, ...options }: WorkloadOptions = {}) {
    this.#random = random;
    this.#releasePermille = releasePermille;
    this.wishes = new Wishes(random, options);
  }

  /**
   * Sends intentions through every client, so many at a time each, until `stop`, or until the service is silent. `onAnswer` is called the moment
   * an answer is there, with the number of answers so far in this run.
   */
  async run(clients: readonly GrpcClient[], inFlightEach: number, onAnswer: (count: number) => void = () => {}): Promise<void> {
    this.#isStopped = false;
    let answers = 0;
    const lane = async (client: GrpcClient): Promise<void> => {
      while (!this.#isStopped) {
        if ((await this.#sendOne(client)).type === "silent") return;
        onAnswer(++answers);
      }
    };
    await Promise.all(clients.flatMap((client) => Array.from({ length: inFlightEach }, () => lane(client))));
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #sendOne(client: GrpcClient): Promise<Outcome> {
    // Releases have no key and need none: whether one was done is seen in the books.
    if (this.#random.between(1, 1_000) <= this.#releasePermille) return this.#release(client);
    return this.send(client, this.wishes.next());
  }

  async #release(client: GrpcClient): Promise<Outcome> {
    const outcome = await client.call(WalletService.method.releaseHolds, {});
    if (outcome.type === "answered") this.released += outcome.response.releasedCount;
    if (outcome.type === "refused" && outcome.reason === "OUTCOME_UNKNOWN") this.toldUnknown++;
    return outcome;
  }

  /** Sends this intention and files what became of it. */
  async send(client: GrpcClient, intention: Intention): Promise<Outcome<Answer>> {
    this.sentThrough.set(intention, client);
    const outcome = await intention.send(client);
    this.#note(intention, outcome);
    return outcome;
  }

  #note(intention: Intention, outcome: Outcome<Answer>): void {
    const isDecided = outcome.type === "answered" || (outcome.type === "refused" && !undecidedReasons.has(outcome.reason));
    const verdicts = isDecided ? verdictsOf({ intention, outcome }) : [];
    for (const [index, wish] of intention.wishes.entries()) this.wishes.heard(wish, verdicts[index]);
    if (isDecided) {
      this.acknowledged.push({ intention, outcome });
    } else if (outcome.type === "silent") {
      this.unknown.push(intention);
      this.silences.set(outcome.code, (this.silences.get(outcome.code) ?? 0) + 1);
    } else if (outcome.reason === "STORE_UNAVAILABLE" || outcome.reason === "OVERLOADED") {
      this.undone.push({ intention, reason: outcome.reason });
    } else {
      this.unknown.push(intention);
      this.toldUnknown++;
    }
  }
}
