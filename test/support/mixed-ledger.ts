// A ledger with a past: thousands of operations of every kind, keyed and not, granted and refused, the same for the same seed.

import type { Answer } from "../../src/domain/answer.ts";
import { formatMinor } from "../../src/domain/money.ts";
import type { Executor } from "../../src/ledger/executor.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { toCommand, type Asked } from "./asked.ts";

const currencies = [
  ["USD", 2],
  ["JPY", 0],
  ["BHD", 3],
] as const;

/** Writes mixed operations with an executor. Its users are `user-0` and so on; time goes on with `passMs`. */
export class MixedWriter {
  readonly #executor: Executor;
  readonly #random: (bound: number) => number;
  readonly #users: number;
  readonly #passMs: (ms: number) => void;
  /** Active holds as far as is known, with their owners. */
  readonly #holds: { holdId: bigint; user: string; currency: string; exponent: number }[] = [];
  #keys = 0;

  constructor(executor: Executor, { seed, users, passMs }: { seed: number; users: number; passMs: (ms: number) => void }) {
    this.#executor = executor;
    this.#random = randomNumbers(seed);
    this.#users = users;
    this.#passMs = passMs;
  }

  /** Opens every user's wallets and puts money into them. */
  async open(): Promise<void> {
    const all = Array.from({ length: this.#users }, (_, user) => currencies.map(([currency, exponent]) => ({ user: `user-${user}`, currency, exponent }))).flat();
    for (let at = 0; at < all.length; at += 500) {
      const some = all.slice(at, at + 500);
      await this.#execute(some.map(({ user, currency }) => ({ type: "init", user, currency, ...(this.#random(4) === 0 ? { balanceMax: "500000" } : {}) })));
      await this.#execute(some.map(({ user, currency, exponent }) => ({ type: "add", user, currency, amount: formatMinor(BigInt(1 + this.#random(900_000)), exponent), ...this.#marks() })));
    }
  }

  /** One batch of about this many operations of all kinds, and now and then a release of what is eligible. */
  async write(count: number): Promise<void> {
    this.#passMs(this.#random(2_000));
    await this.#execute(Array.from({ length: count }, () => this.#any()));
    if (this.#random(4) === 0) await this.#executor.execute([toCommand({ type: "release" })]);
  }

  async #execute(asked: readonly Asked[]): Promise<void> {
    const answers: readonly Answer[] = await this.#executor.execute(asked.map(toCommand));
    answers.forEach((answer) => {
      if (answer.type !== "applied" || answer.record.kind !== "HOLD") return;
      const { userId: user, currency, exponent } = answer.wallet;
      this.#holds.push({ holdId: answer.record.operationId, user, currency, exponent });
    });
  }

  #marks(): { key?: string; reference?: string; metadata?: Record<string, string> } {
    const kind = this.#random(4);
    if (kind === 0) return {};
    if (kind === 1) return { key: `key-${this.#random(this.#keys + 1)}` };
    return { key: `key-${this.#keys++}`, reference: `order ${this.#random(1000)}`, metadata: { shop: `${this.#random(9)}`, till: "ü" } };
  }

  #any(): Asked {
    const [currency, exponent] = currencies[this.#random(currencies.length)]!;
    const user = `user-${this.#random(this.#users)}`;
    const to = `user-${this.#random(this.#users)}`;
    const amount = formatMinor(BigInt(1 + this.#random(2_000)), exponent);
    const base = { user, currency, ...this.#marks() };
    const roll = this.#random(100);
    if (roll < 22) return { ...base, type: "add", amount, ...(roll < 3 ? { related: 1n } : {}) };
    if (roll < 40) return { ...base, type: "hold", amount, periodMs: [500, 5_000, 60_000, 3_600_000][this.#random(4)]! };
    if (roll < 52) return { ...base, type: "withdraw", amount };
    if (roll < 67) return { ...base, type: "transfer", amount, to };
    if (roll < 90 && this.#holds.length > 0) return this.#ofHold(roll, to);
    if (roll === 93) return { ...base, type: "freeze" };
    if (roll < 97) return { ...base, type: "unfreeze" };
    // A wallet of which nothing was ever made but its opening can be closed.
    if (roll === 97) return { ...base, type: "init", currency: "EUR" };
    if (roll === 98) return { ...base, type: "close", currency: "EUR" };
    return { ...base, type: "limit", balanceMax: this.#random(3) === 0 ? undefined : "900000" };
  }

  #ofHold(roll: number, to: string): Asked {
    const at = this.#random(this.#holds.length);
    const { holdId, user, exponent } = this.#holds[at]!;
    const base = { user, holdId, ...this.#marks() };
    if (roll < 72) return { ...base, type: "extend", periodMs: 4_000_000 + this.#random(10_000_000) };
    if (roll < 76 || this.#random(3) === 0) this.#holds.splice(at, 1);
    if (roll < 76) return { ...base, type: "reverse" };
    const amount = formatMinor(BigInt(1 + this.#random(600)), exponent);
    return { ...base, type: "capture", amount, final: roll > 86, ...(roll % 2 === 0 ? { to } : {}) };
  }
}
