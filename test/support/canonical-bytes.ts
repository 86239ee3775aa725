// The canonical encoding of a journal row and its seal, written a second time from the documentation in src/domain/canonical.ts alone.

import { createHash } from "node:crypto";

/** A row of the journal as plain SQL answers it. */
export interface JournalRow {
  readonly partition: bigint;
  readonly sequence: bigint;
  readonly operation_id: bigint;
  readonly kind: bigint;
  readonly wallet_id: bigint;
  readonly amount_minor: bigint;
  readonly available_after_minor: bigint;
  readonly held_after_minor: bigint;
  readonly state_after: bigint;
  readonly version_after: bigint;
  readonly balance_max_after_minor: bigint | null;
  readonly previous_sequence: bigint;
  readonly time_ms: bigint;
  readonly hold_id: bigint | null;
  readonly hold_status_after: bigint | null;
  readonly hold_captured_after_minor: bigint | null;
  readonly hold_eligible_time_ms: bigint | null;
  readonly opened_user_id: string | null;
  readonly opened_currency: string | null;
  readonly opened_exponent: bigint | null;
  readonly related_operation_id: bigint | null;
  readonly key_hash: Uint8Array | null;
  readonly reference: string | null;
  readonly metadata: string | null;
  readonly receiver_wallet_id: bigint | null;
  readonly receiver_amount_minor: bigint | null;
  readonly receiver_available_after_minor: bigint | null;
  readonly receiver_held_after_minor: bigint | null;
  readonly receiver_state_after: bigint | null;
  readonly receiver_version_after: bigint | null;
  readonly receiver_balance_max_after_minor: bigint | null;
  readonly receiver_previous_sequence: bigint | null;
  readonly side: bigint | null;
  readonly other_user_id: string | null;
  readonly other_exponent: bigint | null;
  readonly hash: Uint8Array;
}

/** The bytes that the row's hash covers, besides its predecessor's hash. */
export function canonicalBytes(row: Omit<JournalRow, "hash">): Buffer {
  const integers: readonly (readonly [field: number, value: bigint | null])[] = [
    [1, row.partition],
    [2, row.sequence],
    [3, row.operation_id],
    [4, row.kind],
    [5, row.wallet_id],
    [6, row.amount_minor],
    [7, row.available_after_minor],
    [8, row.held_after_minor],
    [9, row.state_after],
    [10, row.version_after],
    [11, row.balance_max_after_minor],
    [12, row.previous_sequence],
    [13, row.time_ms],
    [14, row.hold_id],
    [15, row.hold_status_after],
    [16, row.hold_captured_after_minor],
    [17, row.hold_eligible_time_ms],
    [20, row.opened_exponent],
    [21, row.related_operation_id],
    [25, row.receiver_wallet_id],
    [26, row.receiver_amount_minor],
    [27, row.receiver_available_after_minor],
    [28, row.receiver_held_after_minor],
    [29, row.receiver_state_after],
    [30, row.receiver_version_after],
    [31, row.receiver_balance_max_after_minor],
    [32, row.receiver_previous_sequence],
    [33, row.side],
    [35, row.other_exponent],
  ];
  const texts: readonly (readonly [field: number, value: string | Uint8Array | null])[] = [
    [18, row.opened_user_id],
    [19, row.opened_currency],
    [22, row.key_hash],
    [23, row.reference],
    [34, row.other_user_id],
  ];
  const fields: { field: number; bytes: readonly number[] }[] = [];
  for (const [field, value] of integers) if (value !== null) fields.push({ field, bytes: leb128(value < 0n ? -2n * value - 1n : 2n * value) });
  for (const [field, value] of texts) if (value !== null) fields.push({ field, bytes: delimited(value) });
  const metadata = Object.entries(JSON.parse(row.metadata ?? "{}") as Record<string, string>).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of metadata) fields.push({ field: 24, bytes: [...delimited(key), ...delimited(value)] });
  const inOrder = fields.toSorted((a, b) => a.field - b.field);
  return Buffer.from(inOrder.flatMap(({ field, bytes }) => [field, ...bytes]));
}

/** SHA-256 over the predecessor's hash and the row's content. */
export function sealOf(previousHash: Uint8Array, row: Omit<JournalRow, "hash">): Buffer {
  return createHash("sha256").update(previousHash).update(canonicalBytes(row)).digest();
}

function delimited(value: string | Uint8Array): number[] {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return [...leb128(BigInt(bytes.length)), ...bytes];
}

/** Unsigned LEB128, of any length. */
export function leb128(value: bigint): number[] {
  const rest = value / 128n;
  return rest === 0n ? [Number(value)] : [Number(value % 128n) + 128, ...leb128(rest)];
}
