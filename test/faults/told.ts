// All that callers were told, added up: which operations there must be, how many of each verb, and how much money they brought in.

import { verbs, verdictsOf, type Acknowledged, type Verb, type Verdict, type Wish } from "./intentions.ts";

/** What a caller was told of an operation. */
export interface Told {
  readonly id: bigint;
  /** Undefined where only a batch told of it: its results carry none. */
  readonly hash: string | undefined;
}

export class ToldBook {
  /** By the operation's reference. */
  readonly operations = new Map<string, Told>();
  /** Per verb, how many operations were applied. */
  readonly granted = Object.fromEntries(verbs.map((verb) => [verb, 0])) as Record<Verb, number>;
  /** Per reason, how many were refused. */
  readonly refused: Record<string, number> = {};
  /** Per currency: what came in less what went out, in whole units. */
  readonly cameIn = new Map<string, bigint>();
  /** Operations that were calls of their own, those that came in batches, and how many batches that were. */
  readonly ways = { unary: 0, inBatches: 0, batches: 0 };
  /** One sentence for each operation of which two callers were told different things. */
  readonly contradictions: string[] = [];

  constructor(acknowledged: readonly Acknowledged[] = []) {
    this.file(acknowledged);
  }

  get refusals(): number {
    return Object.values(this.refused).reduce((sum, count) => sum + count, 0);
  }

  file(acknowledged: readonly Acknowledged[]): void {
    for (const each of acknowledged) {
      const { wishes } = each.intention;
      const isBatch = each.intention.name !== wishes[0]!.verb;
      this.ways[isBatch ? "inBatches" : "unary"] += wishes.length;
      if (isBatch) this.ways.batches++;
      for (const [index, verdict] of verdictsOf(each).entries()) this.#fileOne(wishes[index]!, verdict);
    }
  }

  #fileOne({ key, verb, currency, bringsIn }: Wish, verdict: Verdict): void {
    if (verdict.type === "rejected") {
      this.refused[verdict.reason] = (this.refused[verdict.reason] ?? 0) + 1;
      return;
    }
    const known = this.operations.get(key);
    if (known !== undefined) {
      if (known.id !== verdict.operationId) this.contradictions.push(`${key} was told to be ${known.id}, and ${verdict.operationId}`);
      return;
    }
    const hash = verdict.operation && Buffer.from(verdict.operation.hash).toString("hex");
    this.operations.set(key, { id: verdict.operationId, hash });
    this.granted[verb]++;
    this.cameIn.set(currency, (this.cameIn.get(currency) ?? 0n) + bringsIn);
  }
}
