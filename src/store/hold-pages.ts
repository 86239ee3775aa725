// What lists of holds have in common on every engine: which rows are asked for, and where a page of active ones ends.

import type { Selectable } from "kysely";
import { holdStatusNumbers } from "../domain/hold.ts";
import { behindEveryPlace, byEligibility, firstPlace, type EligibilityPlace, type EligibilityWindow } from "./eligibility.ts";
import type { HoldPage, HoldQuery } from "./store.ts";
import type { HoldTable } from "./tables.ts";

/** Whether a hold has the status that is asked for; undefined asks for any. */
export function statusFilter(status: HoldQuery["status"]): (row: Selectable<HoldTable>) => boolean {
  const number = status && BigInt(holdStatusNumbers[status]);
  return (row) => number === undefined || row.status === number;
}

/** A page of active holds, soonest to become eligible first, as partition after partition is looked at: no more of them are kept than make the page, and one to know whether more remain. */
export class ActivePage {
  readonly #max: number;
  readonly #from: Omit<EligibilityWindow, "partition">;
  #first: readonly (EligibilityPlace & { readonly partition: bigint })[] = [];

  constructor({ eligibleAtMs, max, continueAt }: Pick<HoldQuery, "eligibleAtMs" | "max" | "continueAt">) {
    this.#max = max;
    this.#from = {
      afterMs: continueAt?.eligibleTimeMs ?? firstPlace.afterMs,
      afterId: continueAt?.holdId ?? firstPlace.afterId,
      untilMs: eligibleAtMs === undefined ? behindEveryPlace : BigInt(eligibleAtMs),
      limit: BigInt(max + 1),
    };
  }

  /** What of the next partition can be on the page: nothing that is later than all that fill it. */
  get window(): Omit<EligibilityWindow, "partition"> {
    return { ...this.#from, untilMs: this.#first[this.#max]?.eligible_time_ms ?? this.#from.untilMs };
  }

  /** Takes what was found there, in any order. */
  add(partition: bigint, found: readonly EligibilityPlace[]): void {
    this.#first = [...this.#first, ...found.map((place) => ({ ...place, partition }))].toSorted(byEligibility).slice(0, this.#max + 1);
  }

  /** The page, and where the next one begins. */
  end(): { readonly places: readonly (EligibilityPlace & { readonly partition: bigint })[]; readonly continueAt: HoldPage["continueAt"] } {
    const places = this.#first.slice(0, this.#max);
    const last = places.at(-1);
    const hasMore = this.#first.length > this.#max && last !== undefined;
    return { places, continueAt: hasMore ? { eligibleTimeMs: last.eligible_time_ms, holdId: last.hold_id } : undefined };
  }
}
