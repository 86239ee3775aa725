// Pages of active holds from several partitions: together they are the whole list, whatever a page's size is and however the holds are spread.

import { array, assert, bigInt, integer, option, property } from "fast-check";
import { expect, test } from "vitest";
import { byEligibility, type EligibilityPlace, type EligibilityWindow } from "../../src/store/eligibility.ts";
import { ActivePage } from "../../src/store/hold-pages.ts";
import type { HoldPlace } from "../../src/store/store.ts";

/** What an engine finds in a partition. */
const foundIn = (holds: readonly EligibilityPlace[], { afterMs, afterId, untilMs, limit }: Omit<EligibilityWindow, "partition">): EligibilityPlace[] =>
  holds
    .filter((hold) => hold.eligible_time_ms <= untilMs && byEligibility(hold, { eligible_time_ms: afterMs, hold_id: afterId }) > 0)
    .toSorted(byEligibility)
    .slice(0, Number(limit));

const partitionsOfTimes = array(array(bigInt(0n, 5n), { maxLength: 4 }), { minLength: 1, maxLength: 5 });

test("are the whole list in order, nothing twice", () => {
  assert(
    property(partitionsOfTimes, integer({ min: 1, max: 4 }), option(integer({ min: 0, max: 6 }), { nil: undefined }), (timesOf, max, eligibleAtMs) => {
      const partitions = timesOf.map((times, partition) => times.map((time, index) => ({ eligible_time_ms: time, hold_id: BigInt(100 * partition + index) })));
      const expected = partitions.flat().toSorted(byEligibility).filter((hold) => eligibleAtMs === undefined || hold.eligible_time_ms <= BigInt(eligibleAtMs));
      const listed: EligibilityPlace[] = [];
      let continueAt: HoldPlace | undefined;
      do {
        const page = new ActivePage({ eligibleAtMs, max, continueAt });
        for (const [partition, holds] of partitions.entries()) page.add(BigInt(partition), foundIn(holds, page.window));
        const { places, continueAt: next } = page.end();
        expect(places.length).toBeLessThanOrEqual(max);
        listed.push(...places);
        continueAt = next;
      } while (continueAt !== undefined);
      expect(listed.map((place) => place.hold_id)).toEqual(expected.map((place) => place.hold_id));
    }),
  );
});
