// Messages of any type for properties about their rules: ordinary ones, ones in which a single value may be off, and wild ones.

import { create, getOption, ScalarType, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { field as fieldOption, type FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import * as fc from "fast-check";

type Init = Record<string, unknown>;

/** Characters at which two readings of a rule may part: line ends, letters that some fold, what takes two code units, half of that, and what is just beside a class. */
const odd = fc.constantFrom("\n", "\r", "\u2028", "\0", " ", "é", "\u212a", "ſ", "😀", "\ud83d", "-", "/", "[", "`", "{", "\u007f", "0", "Z");
/** A character more than a resume token may have; seldom, since it takes long to look at. */
const tooLongToken = "k".repeat(700_001);
const wildText = fc.oneof(
  { weight: 1, arbitrary: fc.constant(tooLongToken) },
  ...[
    fc.constantFrom("", "0", "ann", "USD", "10.50", "1."),
    fc.string(),
    fc.string({ unit: "binary" }),
    // Around every length that a rule names, in characters of one and of two code units.
    fc.tuple(fc.constantFrom("1", "A", "😀"), fc.constantFrom(1, 2, 16, 64, 128, 255, 256, 512, 4096), fc.integer({ min: -1, max: 1 })).map(([unit, length, more]) => unit.repeat(length + more)),
    fc.tuple(fc.constantFrom("ann", "USD", "10.50", "key-1"), fc.nat(5), odd).map(([text, at, inserted]) => text.slice(0, at) + inserted + text.slice(at)),
  ].map((arbitrary) => ({ weight: 8, arbitrary })),
);
const wildLong = fc.oneof(fc.bigInt(-1n, 1n), fc.constantFrom(315_360_000n, 315_360_001n, 315_576_000_000n, 315_576_000_001n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
const wildInt = fc.oneof(fc.integer({ min: -1, max: 20 }), fc.constantFrom(999_999, 1_000_000, 999_999_999, 1_000_000_000), fc.integer());
const wildBytes = fc.uint8Array({ minLength: 0, maxLength: 33 });

function wildScalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return wildText;
    case ScalarType.INT64:
      return wildLong;
    case ScalarType.INT32:
      return wildInt;
    case ScalarType.BYTES:
      return fc.oneof(wildBytes, fc.uint8Array({ minLength: 32, maxLength: 32 }));
    case ScalarType.BOOL:
      return fc.boolean();
    default:
      throw new Error(`no field of a request has had the type ${ScalarType[type]}`);
  }
}

/** Of what a well-meaning caller sends. */
function ordinaryScalar(type: ScalarType, rules: FieldRules | undefined): fc.Arbitrary<unknown> {
  if (rules?.type.case === "string") {
    const typed = rules.type.value;
    const most = Number(typed.maxLen || 8_192);
    if (typed.pattern !== "") return fc.stringMatching(new RegExp(typed.pattern)).filter((text) => text.length <= most);
    return fc.oneof(fc.constantFrom("k".repeat(most), "😀".repeat(most)), fc.string({ minLength: Number(typed.minLen), maxLength: Math.min(most, 40), unit: "grapheme-ascii" }));
  }
  if (type === ScalarType.INT64) return fc.oneof(fc.bigInt(1n, 1_000n), fc.constant(2n ** 63n - 1n));
  if (type === ScalarType.INT32) return fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constant(2 ** 31 - 1));
  if (type === ScalarType.BYTES) return fc.uint8Array({ minLength: 32, maxLength: 32 });
  return wildScalar(type);
}

/** What is right to send, beyond what the rules ask of single fields. */
const ordinaryByType: Readonly<Record<string, fc.Arbitrary<Init>>> = {
  "google.protobuf.Duration": fc.record({ seconds: fc.bigInt(1n, 315_359_999n), nanos: fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000) }),
  "google.protobuf.Timestamp": fc.record({ seconds: fc.bigInt(0n, 4_000_000_000n), nanos: fc.constant(0) }),
  "wallet.v1.GetOperationRequest": fc.oneof(fc.record({ operationId: fc.bigInt(1n, 9n) }), fc.record({ userId: fc.constant("ann"), idempotencyKey: fc.constant("k") })),
};

function ordinaryValue(field: DescField): fc.Arbitrary<unknown> {
  const rules = getOption(field, fieldOption);
  switch (field.fieldKind) {
    case "scalar":
      return ordinaryScalar(field.scalar, rules);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ number }) => number));
    case "message":
      return ordinaryInit(field.message);
    case "list":
      return fc.array(ordinaryInit(field.message!), { minLength: 1, maxLength: 4 });
    case "map": {
      const { keys, values } = rules.type.value as { keys: FieldRules; values: FieldRules };
      return fc.dictionary(ordinaryScalar(ScalarType.STRING, keys) as fc.Arbitrary<string>, ordinaryScalar(ScalarType.STRING, values), { maxKeys: 4, noNullPrototype: true });
    }
  }
}

function wildValue(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return wildScalar(field.scalar);
    case "enum":
      return wildInt;
    case "message":
      return fc.oneof(fieldsOf(field.message, wildValue), spoiledInit(field.message));
    case "list":
      return fc.oneof({ weight: 8, arbitrary: fc.array(spoiledInit(field.message!), { maxLength: 3 }) }, fc.constant([]), manyItems(field.message!));
    case "map":
      return fc.oneof(
        fc.dictionary(wildText, wildText, { maxKeys: 3, noNullPrototype: true }),
        fc.constantFrom(16, 17, 1_000, 1_001).map((entries) => Object.fromEntries(Array.from({ length: entries }, (_, index) => [`k${index}`, "v"]))),
      );
  }
}

/** About as many as a list may have. They are one and the same: nobody looks at ten thousand different ones. */
function manyItems(schema: DescMessage): fc.Arbitrary<Init[]> {
  return fc.tuple(ordinaryInit(schema), fc.constantFrom(10_000, 10_001)).map(([init, length]) => {
    const item = create(schema, init);
    return Array.from({ length }, () => item as unknown as Init);
  });
}

/** A message with, of each field, a value or, where it may be absent, none; of each oneof one field or none. */
function fieldsOf(schema: DescMessage, value: (field: DescField) => fc.Arbitrary<unknown>, oneofsMayBeEmpty = true): fc.Arbitrary<Init> {
  const single = schema.fields.filter(({ oneof }) => oneof === undefined).map((field) => [field.localName, field.proto.proto3Optional ? fc.option(value(field), { nil: undefined }) : value(field)]);
  const chosen = schema.oneofs.map((oneof) => {
    const cases = oneof.fields.map((field) => value(field).map((inner) => ({ case: field.localName, value: inner })));
    return [oneof.localName, fc.oneof(...(oneofsMayBeEmpty ? [fc.constant({ case: undefined })] : []), ...cases)];
  });
  return fc.record(Object.fromEntries([...single, ...chosen]) as Record<string, fc.Arbitrary<unknown>>);
}

function ordinaryInit(schema: DescMessage): fc.Arbitrary<Init> {
  return ordinaryByType[schema.typeName] ?? fieldsOf(schema, ordinaryValue, false);
}

/** An ordinary one of which one field, somewhere, is wild or absent. */
function spoiledInit(schema: DescMessage): fc.Arbitrary<Init> {
  if (schema.fields.length === 0) return fc.constant({});
  const spoil = fc.constantFrom(...schema.fields).chain((field) => fc.oneof({ weight: 5, arbitrary: wildValue(field) }, { weight: 1, arbitrary: fc.constant(undefined) }).map((value) => ({ field, value })));
  return fc.tuple(ordinaryInit(schema), spoil).map(([init, { field, value }]) => {
    if (field.oneof === undefined) return { ...init, [field.localName]: value };
    return { ...init, [field.oneof.localName]: value === undefined ? { case: undefined } : { case: field.localName, value } };
  });
}

/** Every field is what it may be and what it should be: optional ones are there or absent. */
export function ordinaryMessages(schema: DescMessage): fc.Arbitrary<Message> {
  return ordinaryInit(schema).map((init) => create(schema, init));
}

/** Ordinary ones, ones with one value that may be off, and ones that are wild throughout. */
export function anyMessages(schema: DescMessage): fc.Arbitrary<Message> {
  return fc.oneof({ weight: 1, arbitrary: ordinaryInit(schema) }, { weight: 8, arbitrary: spoiledInit(schema) }, { weight: 1, arbitrary: fieldsOf(schema, wildValue) }).map((init) => create(schema, init));
}
