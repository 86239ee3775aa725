// How counters are kept in one column: they outgrow 64 bits, and most wallets have few of them.
//
// For each kind of which there is any, in ascending order: the kind's number (its place in `totalKinds`, from 1), the count and the amount
// in minor units, each as unsigned LEB128 of any length.

import { noTotals, totalKinds, type Total, type TotalKind, type Totals } from "../domain/totals.ts";

/** Seven groups of seven bits are exact as a number. */
const exactBits = 49n;
const exactFactorMax = 128 ** 6;
const exactMax = 2n ** exactBits - 1n;

export function encodeTotals(totals: Totals): Uint8Array {
  let length = 0;
  for (const kind of totalKinds) {
    const { count, minor } = totals[kind];
    if (count !== 0n) length += 1 + varintLength(count) + varintLength(minor);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let index = 0; index < totalKinds.length; index++) {
    const { count, minor } = totals[totalKinds[index]!];
    if (count === 0n) continue;
    bytes[at++] = index + 1;
    at = putVarint(bytes, at, count);
    at = putVarint(bytes, at, minor);
  }
  return bytes;
}

/** Throws a RangeError on bytes that `encodeTotals` does not make. */
export function decodeTotals(bytes: Uint8Array): Totals {
  if (bytes.length === 0) return noTotals;
  const totals: Record<TotalKind, Total> = { ...noTotals };
  let position = 0;
  const next = (): number => {
    const byte = bytes[position++];
    if (byte === undefined) throw new RangeError("counters end in the middle of a number");
    return byte;
  };
  const varint = (): bigint => {
    // A number as long as that is exact, since each step makes another bigint.
    let low = 0;
    for (let factor = 1; factor <= exactFactorMax; factor *= 128) {
      const byte = next();
      low += (byte & 127) * factor;
      if (byte < 128) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = exactBits; ; shift += 7n) {
      const byte = next();
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

function varintLength(value: bigint): number {
  let length = 1;
  for (; value > exactMax; value >>= 7n) length++;
  for (let low = Number(value); low >= 128; low = Math.floor(low / 128)) length++;
  return length;
}

/** Answers where the next one begins. */
function putVarint(bytes: Uint8Array, at: number, value: bigint): number {
  for (; value > exactMax; value >>= 7n) bytes[at++] = Number(value & 127n) | 128;
  let low = Number(value);
  for (; low >= 128; low = Math.floor(low / 128)) bytes[at++] = (low % 128) | 128;
  bytes[at++] = low;
  return at;
}
