// Reads the journals of a PostgreSQL ledger from its tables, past the service.

import { asOwner } from "../../support/postgres-place.ts";
import type { PartitionLine } from "../seen-partitions.ts";

interface Row {
  readonly partition: string;
  readonly sequence: string;
  readonly operation_id: string;
  readonly hash: string;
  readonly reference: string;
}

/** Every operation once, in the order of its partition: of one between two partitions the payer's record. */
export async function operationLines(url: string): Promise<PartitionLine[]> {
  const { rows } = await asOwner(
    (client) => client.query<Row>(`select partition, sequence, operation_id, encode(hash, 'hex') as hash, coalesce(reference, '') as reference from journal where side is distinct from 2 order by 1, 2`),
    url,
  );
  return rows.map(({ partition, sequence, operation_id: operationId, hash, reference }) => ({ partition: Number(partition), sequence: BigInt(sequence), operationId: BigInt(operationId), hash, reference }));
}

/** Operations between two partitions that have not exactly one record in each. */
export async function halfOperations(url: string): Promise<string[]> {
  const sentence = `select operation_id::text as id from journal where side is not null group by operation_id having array_agg(side::int order by side) <> array[1, 2] or count(distinct partition) <> 2`;
  const { rows } = await asOwner((client) => client.query<{ id: string }>(sentence), url);
  return rows.map(({ id }) => id);
}

/** How many operations are between two partitions. */
export async function apartCount(url: string): Promise<number> {
  const { rows } = await asOwner((client) => client.query<{ count: string }>("select count(*) as count from journal where side = 1"), url);
  return Number(rows[0]!.count);
}
