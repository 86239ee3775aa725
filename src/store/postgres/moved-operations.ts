// Where operations are that were born in another ledger, from which this one was spread (docs/decisions/0023).

import type { Selectable } from "kysely";
import { birthplaceOf } from "../../domain/journal.ts";
import type { MovedOperationTable } from "../tables.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";

/** A partition whose journal began behind another ledger's, with the sequence that it began at. */
interface SpreadPartition {
  readonly partition: bigint;
  readonly startSequence: bigint;
}

/** Of one ledger. */
export class MovedOperations {
  /** What a ledger began with never changes, so it is looked up once, when it is needed first: on several machines all of them have to be there for it. */
  #partitions: readonly SpreadPartition[] | undefined;

  /** Those of these that were moved here: one statement for each partition that may have some. A ledger that was never spread is not asked. */
  async find(session: Session, operationIds: readonly bigint[]): Promise<Selectable<MovedOperationTable>[]> {
    if (operationIds.length === 0) return [];
    this.#partitions ??= (await session.all(queries.spreadHeads, {})).map((head) => ({ partition: head.partition, startSequence: head.start_sequence }));
    const found = this.#partitions.flatMap(({ partition, startSequence }) => {
      const ids = operationIds.filter((operationId) => birthplaceOf(operationId).sequence <= startSequence);
      return ids.length === 0 ? [] : [session.all(queries.movedOperations, { partition, operationIds: ids })];
    });
    return (await Promise.all(found)).flat();
  }
}
