// Values on their way to PostgreSQL: exact, and refused here rather than in the middle of what is written.
//
// Arrays go in the binary form of the wire (src/backend/utils/adt/arrayfuncs.c, array_recv): no value has to be quoted, written in digits or read again.

import { toStoredText } from "./stored-text.ts";

/** What a parameter may be, by its PostgreSQL type. */
export interface ParameterTypes {
  readonly bigint: bigint;
  readonly text: string;
  readonly bytea: Uint8Array;
  /** An array without any value may be null, which unnest takes for one of nulls. */
  readonly "bigint[]": readonly (bigint | null)[] | null;
  readonly "text[]": readonly (string | null)[] | null;
  readonly "bytea[]": readonly (Uint8Array | null)[] | null;
}
export type ParameterType = keyof ParameterTypes;
export type ColumnType = "bigint" | "text" | "bytea";

/** https://www.postgresql.org/docs/current/catalog-pg-type.html: these never change. */
const elementOids = { bigint: 20, text: 25, bytea: 17 } as const;

/** Of an array with one dimension: the number of dimensions, whether it has nulls, the elements' type, their number, and the first index. */
const arrayHeaderBytes = 20;

/** The value as the driver sends it. Throws RangeError for a number beyond 64 bits. */
export function toParameter<Type extends ParameterType>(type: Type, value: ParameterTypes[Type]): string | Buffer | null {
  if (value === null) return null;
  switch (type) {
    case "bigint":
      return `${asInt64(value as bigint)}`;
    case "text":
      return toStoredText(value as string);
    case "bytea":
      return bufferOf(value as Uint8Array);
    case "bigint[]":
      return bigintArray(value as readonly (bigint | null)[]);
    case "text[]":
      return bytesArray("text", (value as readonly (string | null)[]).map((text) => (text === null ? null : Buffer.from(toStoredText(text)))));
    case "bytea[]":
      return bytesArray("bytea", value as readonly (Uint8Array | null)[]);
    default:
      return unreachable(type);
  }
}

function unreachable(type: never): never {
  throw new Error(`no parameter is a ${String(type)}`);
}

function bigintArray(values: readonly (bigint | null)[]): Buffer {
  const array = Buffer.allocUnsafe(arrayHeaderBytes + 12 * values.length);
  const view = new DataView(array.buffer, array.byteOffset, array.length);
  let at = writeHeader(view, "bigint", values.length);
  for (const value of values) {
    if (value === null) {
      view.setInt32(at, -1);
      at += 4;
    } else {
      view.setInt32(at, 8);
      view.setBigInt64(at + 4, asInt64(value));
      at += 12;
    }
  }
  return array.subarray(0, at);
}

function bytesArray(type: ColumnType, values: readonly (Uint8Array | null)[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), arrayHeaderBytes);
  const array = Buffer.allocUnsafe(bytes);
  const view = new DataView(array.buffer, array.byteOffset, array.length);
  let at = writeHeader(view, type, values.length);
  for (const value of values) {
    view.setInt32(at, value?.length ?? -1);
    at += 4;
    if (value === null) continue;
    array.set(value, at);
    at += value.length;
  }
  return array;
}

function writeHeader(view: DataView, type: ColumnType, length: number): number {
  // That it may have nulls promises none.
  [1, 1, elementOids[type], length, 1].forEach((number, index) => view.setInt32(4 * index, number));
  return arrayHeaderBytes;
}

/** A DataView would cut the number short without a word. */
function asInt64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit 64 bits`);
  return value;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
