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
  readonly #partitions: readonly SpreadPartition[];

  private constructor(partitions: readonly SpreadPartition[]) {
    this.#partitions = partitions;
  }

  /** Looks where there may be any: what a ledger began with never changes. */
  static async of(session: Session): Promise<MovedOperations> {
    const heads = await session.all(queries.spreadHeads, {});
    return new MovedOperations(heads.map((head) => ({ partition: head.partition, startSequence: head.start_sequence })));
  }

  /** Those of these that were moved here: one statement for each partition that may have some. A ledger that was never spread is not asked. */
  async find(session: Session, operationIds: readonly bigint[]): Promise<Selectable<MovedOperationTable>[]> {
    const found = this.#partitions.flatMap(({ partition, startSequence }) => {
      const ids = operationIds.filter((operationId) => birthplaceOf(operationId).sequence <= startSequence);
      return ids.length === 0 ? [] : [session.all(queries.movedOperations, { partition, operationIds: ids })];
    });
    return (await Promise.all(found)).flat();
  }
}
