// Calls that move money, made up at random, each with a key, and what became of every one of them.

import { WalletService, type AddMoneyResponse, type HoldMoneyResponse, type InitWalletResponse, type ReverseHoldResponse } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { GrpcClient, Outcome } from "./grpc-client.ts";
import type { Random } from "./random.ts";

export type Answer = InitWalletResponse | AddMoneyResponse | HoldMoneyResponse | ReverseHoldResponse;

/** One intention: the same request under the same key however often it is sent. */
export interface Intention {
  readonly userId: string;
  /** Also the operation's reference, so that the journal says which intention each operation comes from. */
  readonly key: string;
  /** What it is, for people. */
  readonly name: string;
  send(client: GrpcClient): Promise<Outcome<Answer>>;
}

export interface Acknowledged {
  readonly intention: Intention;
  readonly outcome: Exclude<Outcome<Answer>, { type: "silent" }>;
}

/** Reasons that are given where nothing was decided: the intention is still open. */
const undecidedReasons = new Set(["STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED", "DEADLINE_EXCEEDED", "CANCELED", "INTERNAL"]);

const currencies = ["USD", "JPY"] as const;
const firstUsers = 40;
const holdsRememberedMax = 500;

export class Workload {
  readonly #random: Random;
  readonly #users: { userId: string; currency: (typeof currencies)[number] }[] = [];
  readonly #holds: { userId: string; holdId: bigint }[] = [];
  #intentions = 0;
  #isStopped = false;
  /** Decided, and the caller knows it. Emptied by whoever has looked at them. */
  acknowledged: Acknowledged[] = [];
  /** Sent, and nothing is known of it. */
  unknown: Intention[] = [];
  /** How many of those the service itself said that nobody knows. */
  toldUnknown = 0;
  /** Refused with the assurance that nothing was done. */
  undone: { intention: Intention; reason: string }[] = [];
  /** Calls that ended without a word from the service, by gRPC's name for it. */
  readonly silences = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
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
    if (this.#random.between(1, 25) === 1) return client.call(WalletService.method.releaseHolds, {});
    const intention = this.#next();
    const outcome = await intention.send(client);
    this.note(intention, outcome);
    return outcome;
  }

  /** Files what became of an intention. */
  note(intention: Intention, outcome: Outcome<Answer>): void {
    if (outcome.type === "silent") {
      this.unknown.push(intention);
      this.silences.set(outcome.code, (this.silences.get(outcome.code) ?? 0) + 1);
    } else if (outcome.type === "refused" && undecidedReasons.has(outcome.reason)) {
      const { reason } = outcome;
      if (reason === "STORE_UNAVAILABLE" || reason === "OVERLOADED") this.undone.push({ intention, reason });
      else {
        this.unknown.push(intention);
        this.toldUnknown++;
      }
    } else {
      this.acknowledged.push({ intention, outcome });
      if (outcome.type === "answered" && "hold" in outcome.response && outcome.response.hold !== undefined) this.#rememberHold(intention.userId, outcome.response.hold.holdId);
    }
  }

  #rememberHold(userId: string, holdId: bigint): void {
    if (this.#holds.length < holdsRememberedMax) this.#holds.push({ userId, holdId });
    else this.#holds[this.#random.between(0, holdsRememberedMax - 1)] = { userId, holdId };
  }

  #next(): Intention {
    const dice = this.#random.between(1, 100);
    if (this.#users.length < firstUsers || dice <= 3) return this.#init();
    if (dice <= 45) return this.#add();
    if (dice <= 80 || this.#holds.length === 0) return this.#hold();
    return this.#reverse();
  }

  #init(): Intention {
    const number = this.#users.length;
    // Now and then one that exists: its refusal is remembered like an operation.
    const again = number > firstUsers && this.#random.between(1, 4) === 1;
    const user = again ? this.#random.pick(this.#users) : { userId: `user-${number}`, currency: this.#random.pick(currencies) };
    if (!again) this.#users.push(user);
    const request = { ...user, ...this.#marks("init") };
    return intended(request, (client) => client.call(WalletService.method.initWallet, request));
  }

  #add(): Intention {
    const request = { ...this.#wallet(), amount: this.#amount(500), ...this.#marks("add") };
    return intended(request, (client) => client.call(WalletService.method.addMoney, request));
  }

  #hold(): Intention {
    // Half of them are soon eligible, so that releases find something.
    const period = this.#random.between(1, 2) === 1 ? { holdPeriod: { nanos: 1_000_000 } } : {};
    const request = { ...this.#wallet(), amount: this.#amount(400), ...period, ...this.#marks("hold") };
    return intended(request, (client) => client.call(WalletService.method.holdMoney, request));
  }

  #reverse(): Intention {
    const request = { ...this.#random.pick(this.#holds), ...this.#marks("reverse") };
    return intended(request, (client) => client.call(WalletService.method.reverseHold, request));
  }

  /** Mostly the same few wallets: they are fought over. The currency may be left out, since each user has one wallet. */
  #wallet(): { userId: string; currency?: string } {
    const { userId, currency } = this.#random.pick(this.#random.between(1, 4) === 1 ? this.#users : this.#users.slice(0, 10));
    return this.#random.between(1, 2) === 1 ? { userId, currency } : { userId };
  }

  /** Whole units, which every currency has. */
  #amount(max: number): string {
    return String(this.#random.between(1, max));
  }

  #marks(name: string): { idempotencyKey: string; reference: string } {
    const key = `${name}-${++this.#intentions}`;
    return { idempotencyKey: key, reference: key };
  }
}

function intended(request: { userId: string; idempotencyKey: string }, send: Intention["send"]): Intention {
  return { userId: request.userId, key: request.idempotencyKey, name: request.idempotencyKey.replace(/-\d+$/, ""), send };
}
