// The bytes that a record's hash covers: fixed for ever, different for different records, the same for the same one however it came about.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalContent, recordHash } from "../../../src/domain/canonical.ts";
import { genesisHash, type JournalRecord } from "../../../src/domain/journal.ts";
import { minorMax } from "../../../src/domain/money.ts";
import type { CurrencyCode, UserId } from "../../../src/domain/wallet.ts";
import { recordToRow } from "../../../src/store/rows.ts";
import { draftRecord } from "../../support/arbitrary.ts";
import { canonicalBytes, type JournalRow } from "../../support/canonical-bytes.ts";

type Draft = Omit<JournalRecord, "hash">;

/** Every field of an operation on one wallet. */
const full: Draft = {
  partition: 3,
  sequence: 300n,
  operationId: (3n << 48n) | 300n,
  kind: "HOLD",
  walletId: (3n << 48n) | 7n,
  amountMinor: 1050n,
  after: { availableMinor: minorMax, heldMinor: 1050n, state: "ACTIVE", version: 12n, balanceMaxMinor: minorMax },
  hold: { holdId: (3n << 48n) | 300n, status: "ACTIVE", capturedMinor: 0n, eligibleTimeMs: 1_767_226_200_000 },
  opened: { userId: "alice@example.com" as UserId, currency: "USD" as CurrencyCode, exponent: 2 },
  relatedOperationId: 5n,
  receiver: undefined,
  apart: undefined,
  keyHash: "000102030405060708090a0b0c0d0e0f",
  reference: "Miete für März 🏠",
  metadata: { b: "", a: "1" },
  previousSequence: 299n,
  timeMs: 1_767_225_600_000,
};

/** As above, with a wallet that receives. */
const received: Draft = {
  ...full,
  kind: "CAPTURE",
  hold: { holdId: (3n << 48n) | 290n, status: "CAPTURED", capturedMinor: 1050n, eligibleTimeMs: 1_767_226_200_000 },
  receiver: {
    walletId: (3n << 48n) | 9n,
    amountMinor: 10_500_000n,
    after: { availableMinor: minorMax, heldMinor: 77n, state: "FROZEN", version: 2n ** 31n, balanceMaxMinor: minorMax },
    previousSequence: 2n ** 47n,
  },
};

/** No field that may be absent. */
const least: Draft = {
  partition: 0,
  sequence: 1n,
  operationId: 1n,
  kind: "INIT",
  walletId: 1n,
  amountMinor: 0n,
  after: { availableMinor: 0n, heldMinor: 0n, state: "ACTIVE", version: 1n, balanceMaxMinor: undefined },
  hold: undefined,
  opened: { userId: "alice" as UserId, currency: "JPY" as CurrencyCode, exponent: 0 },
  relatedOperationId: undefined,
  receiver: undefined,
  apart: undefined,
  keyHash: undefined,
  reference: "",
  metadata: {},
  previousSequence: 0n,
  timeMs: 1_767_225_600_000,
};

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("vectors that a Python program computed from the documentation", () => {
  test("a record with every field of an operation on one wallet", () => {
    expect(hexOf(canonicalContent(full))).toBe(
      "010602d80403d8848080808080030406058e8080808080800306b41007feffffffffffffffff0108b41009020a180bfeffffffffffffffff010cd6040d80a0d5edee66" +
        "0ed8848080808080030f0210001180bf9eeeee661211616c696365406578616d706c652e636f6d13035553441404150a1610000102030405060708090a0b0c0d0e0f" +
        "17154d696574652066c3bc72204dc3a4727a20f09f8fa0180161013118016200",
    );
    expect(hexOf(recordHash(Uint8Array.from({ length: 32 }, (_, index) => index), full))).toBe("83eed896fff1b957cc38b19697857779fdab048a75b0f17886688a86f64e83fb");
  });

  const capturedIntoAWallet =
    "010602d80403d884808080808003040c058e8080808080800306b41007feffffffffffffffff0108b41009020a180bfeffffffffffffffff010cd6040d80a0d5ed" +
    "ee660ec4848080808080030f0810b4101180bf9eeeee661211616c696365406578616d706c652e636f6d13035553441404150a1610000102030405060708090a0b" +
    "0c0d0e0f17154d696574652066c3bc72204dc3a4727a20f09f8fa01801610131180162001992808080808080031ac0de810a1bfeffffffffffffffff011c9a011d" +
    "041e8080808010";

  test("a record with every field of an operation in one partition", () => {
    expect(hexOf(canonicalContent(received))).toBe(`${capturedIntoAWallet}1ffeffffffffffffffff012080808080808040`);
    expect(hexOf(recordHash(Uint8Array.from({ length: 32 }, (_, index) => index), received))).toBe("4d976bc96686ba1359bae16f243ea53521b9f05d3bcdbbe66623ec21ecb3011a");
  });

  test("the same with a receiver that has no limit and had no operation before", () => {
    const receiver = { ...received.receiver!, after: { ...received.receiver!.after, balanceMaxMinor: undefined }, previousSequence: 0n };
    expect(hexOf(canonicalContent({ ...received, receiver }))).toBe(`${capturedIntoAWallet}2000`);
  });

  test("the first record of a ledger", () => {
    expect(hexOf(canonicalContent(least))).toBe("0100020203020402050206000700080009020a020c000d80a0d5edee661205616c69636513034a50591400");
    expect(hexOf(recordHash(genesisHash, least))).toBe("a85e5e86b958eb1977e00b08c109f5dd0f3a707d4098728bcc4b2c64ec980a05");
  });
});

test("a second implementation makes the same bytes of any record", () => {
  fc.assert(
    fc.property(draftRecord, (record) => {
      expect(hexOf(canonicalContent(record))).toBe(hexOf(canonicalBytes(asRow(record))));
    }),
    { numRuns: 500 },
  );
});

test("the seal is SHA-256 over the predecessor's hash and the content", () => {
  fc.assert(
    fc.property(draftRecord, fc.uint8Array({ minLength: 32, maxLength: 32 }), (record, previous) => {
      const expected = createHash("sha256").update(previous).update(canonicalContent(record)).digest("hex");
      expect(hexOf(recordHash(previous, record))).toBe(expected);
    }),
  );
});

test("different records never encode alike: everything can be read back from the bytes", () => {
  fc.assert(
    fc.property(draftRecord, (record) => {
      expect(fieldsIn(canonicalContent(record))).toEqual(fieldsOf(record));
    }),
    { numRuns: 500 },
  );
});

test("two arbitrary records encode alike only where they are alike", () => {
  fc.assert(
    fc.property(draftRecord, draftRecord, fc.constantFrom(...(Object.keys(full) as (keyof Draft)[])), (one, other, field) => {
      const changed = { ...one, [field]: other[field] };
      expect(hexOf(canonicalContent(changed)) === hexOf(canonicalContent(one))).toBe(isAlike(changed, one));
    }),
    { numRuns: 500 },
  );
});

test("the order in which properties were set does not matter", () => {
  fc.assert(
    fc.property(draftRecord, (record) => {
      expect(hexOf(canonicalContent(turnedAround(record) as Draft))).toBe(hexOf(canonicalContent(record)));
    }),
  );
});

test("what lies in an entry's key and what in its value is told apart", () => {
  const entries = [{ ab: "" }, { a: "b" }, { "": "ab" }, { a: "", b: "" }, {}];
  expect(new Set(entries.map((metadata) => hexOf(canonicalContent({ ...least, metadata }))))).toHaveLength(entries.length);
});

test("a limit of nothing is not the absence of a limit", () => {
  const limited = { ...least, after: { ...least.after, balanceMaxMinor: 0n } };
  expect(hexOf(canonicalContent(limited))).not.toBe(hexOf(canonicalContent(least)));
});

function asRow(record: Draft): Omit<JournalRow, "hash"> {
  return recordToRow({ ...record, hash: new Uint8Array(32) }) as unknown as JournalRow;
}

function isAlike(a: Draft, b: Draft): boolean {
  return JSON.stringify(fieldsOf(a), bigintAsText) === JSON.stringify(fieldsOf(b), bigintAsText);
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

function turnedAround(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, turnedAround(each)] as const).toReversed());
}

type Field = readonly [field: number, value: bigint | string | readonly [string, string]];

const kinds = ["", "INIT", "ADD", "HOLD", "RELEASE", "REVERSE", "CAPTURE", "WITHDRAW", "TRANSFER", "EXTEND", "FREEZE", "UNFREEZE", "CLOSE", "SET_LIMITS"];
const states = ["", "ACTIVE", "FROZEN", "CLOSED"];
const sides = ["", "PAYER", "RECEIVER"];
const statuses = ["", "ACTIVE", "RELEASED", "REVERSED", "CAPTURED"];

function fieldsOf({ after, hold, opened, receiver, apart, ...record }: Draft): Field[] {
  const entries = Object.keys(record.metadata).toSorted().map((key): Field => [24, [key, record.metadata[key]!]]);
  const before = present([
    [1, record.partition],
    [2, record.sequence],
    [3, record.operationId],
    [4, kinds.indexOf(record.kind)],
    [5, record.walletId],
    [6, record.amountMinor],
    [7, after.availableMinor],
    [8, after.heldMinor],
    [9, states.indexOf(after.state)],
    [10, after.version],
    [11, after.balanceMaxMinor],
    [12, record.previousSequence],
    [13, record.timeMs],
    [14, hold?.holdId],
    [15, hold && statuses.indexOf(hold.status)],
    [16, hold?.capturedMinor],
    [17, hold?.eligibleTimeMs],
    [18, opened?.userId],
    [19, opened?.currency],
    [20, opened?.exponent],
    [21, record.relatedOperationId],
    [22, record.keyHash],
    [23, record.reference === "" ? undefined : record.reference],
  ]);
  const behind = present([
    [25, receiver?.walletId],
    [26, receiver?.amountMinor],
    [27, receiver?.after.availableMinor],
    [28, receiver?.after.heldMinor],
    [29, receiver && states.indexOf(receiver.after.state)],
    [30, receiver?.after.version],
    [31, receiver?.after.balanceMaxMinor],
    [32, receiver?.previousSequence],
    [33, apart && sides.indexOf(apart.side)],
    [34, apart?.other.userId],
    [35, apart?.other.exponent],
  ]);
  return [...before, ...entries, ...behind];
}

function present(fields: readonly (readonly [number, bigint | number | string | undefined])[]): Field[] {
  return fields.flatMap(([field, value]): Field[] => (value === undefined ? [] : [[field, typeof value === "number" ? BigInt(value) : value]]));
}

/** Reads the fields back from the bytes. */
function fieldsIn(bytes: Uint8Array): Field[] {
  let position = 0;
  const varint = (): bigint => {
    const byte = BigInt(bytes[position++]!);
    return byte < 128n ? byte : byte - 128n + 128n * varint();
  };
  const slice = (): Buffer => {
    const length = Number(varint());
    position += length;
    return Buffer.from(bytes.subarray(position - length, position));
  };
  const fields: Field[] = [];
  while (position < bytes.length) {
    const field = bytes[position++]!;
    if (field === 24) fields.push([field, [slice().toString("utf8"), slice().toString("utf8")]]);
    else if (field === 22) fields.push([field, slice().toString("hex")]);
    else if ([18, 19, 23, 34].includes(field)) fields.push([field, slice().toString("utf8")]);
    else fields.push([field, varint() / 2n]);
  }
  return fields;
}
