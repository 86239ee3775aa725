// How counters are kept in one column: they outgrow 64 bits, and most wallets have few of them.
//
// For each kind of which there is any, in ascending order: the kind's number (its place in `totalKinds`, from 1), the count and the amount
// in minor units, each as unsigned LEB128 of any length.

import { noTotals, totalKinds, type Total, type TotalKind, type Totals } from "../domain/totals.ts";

export function encodeTotals(totals: Totals): Uint8Array {
  const bytes: number[] = [];
  totalKinds.forEach((kind, index) => {
    const { count, minor } = totals[kind];
    if (count === 0n) return;
    bytes.push(index + 1);
    pushVarint(bytes, count);
    pushVarint(bytes, minor);
  });
  return Uint8Array.from(bytes);
}

/** Throws a RangeError on bytes that `encodeTotals` does not make. */
export function decodeTotals(bytes: Uint8Array): Totals {
  if (bytes.length === 0) return noTotals;
  const totals: Record<TotalKind, Total> = { ...noTotals };
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[position++];
      if (byte === undefined) throw new RangeError("counters end in the middle of a number");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (position < bytes.length) {
    const kind = totalKinds[bytes[position++]! - 1];
    if (kind === undefined) throw new RangeError("counters of an unknown kind");
    totals[kind] = { count: varint(), minor: varint() };
  }
  return totals;
}

function pushVarint(bytes: number[], value: bigint): void {
  while (value >= 128n) {
    bytes.push(Number(value & 127n) | 128);
    value >>= 7n;
  }
  bytes.push(Number(value));
}
