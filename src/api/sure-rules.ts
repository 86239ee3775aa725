// The standard rules of protovalidate that are known here exactly: for each, a check that says yes only where the rule is kept.

import { isFieldSet, ScalarType, type DescEnum, type DescMessage, type Message } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { FieldRulesSchema, type FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { valueOf } from "./field-value.ts";
import { surelyMatches } from "./plain-pattern.ts";

/** True: the value surely keeps its rules. False: it may or may not, protovalidate knows. */
export type Check = (value: unknown) => boolean;

/** There is nothing to keep. */
export const always: Check = () => true;

/** There is a rule that is not known here. */
export const never: Check = () => false;

/** All of them. */
export function every(checks: readonly Check[]): Check {
  const needed = checks.filter((check) => check !== always);
  if (needed.includes(never)) return never;
  const [first, second] = needed;
  if (first === undefined) return always;
  if (second === undefined) return first;
  return (value) => {
    for (const check of needed) {
      if (!check(value)) return false;
    }
    return true;
  };
}

/** The rules of one type by their names, each from what it is set to. */
export type KnownRules = Readonly<Record<string, (setTo: unknown) => Check>>;

/** Conditions of a message of rules. Where it has one that is not among the known ones, or one that somebody else defined, `never`. */
export function checkOfRules(schema: DescMessage, rules: Message, known: KnownRules): Check {
  if ((rules.$unknown ?? []).length > 0) return never;
  const used = schema.fields.filter((field) => isFieldSet(rules, field));
  return every(used.map((field) => known[field.name]?.(valueOf(rules, field)) ?? never));
}

const integerRules: KnownRules = {
  gt: (bound) => (value) => (value as number | bigint) > (bound as number | bigint),
  gte: (bound) => (value) => (value as number | bigint) >= (bound as number | bigint),
};

const stringRules: KnownRules = {
  pattern(pattern) {
    const matches = surelyMatches(pattern as string);
    return (value) => matches(value as string);
  },
  // Code points are counted. A text has as many code units or more, and those need no counting.
  min_len: (bound) => {
    const least = Number(bound);
    return (value) => (value as string).length >= least && codePoints(value as string) >= least;
  },
  max_len: (bound) => {
    const most = Number(bound);
    return (value) => (value as string).length <= most || codePoints(value as string) <= most;
  },
};

const bytesRules: KnownRules = {
  len: (bytes) => (value) => (value as Uint8Array).length === Number(bytes),
};

const durationRules: KnownRules = {
  gte: (bound) => {
    const leastNanos = nanosIn(bound as Duration);
    return (value) => isOrdinary(value as Duration) && nanosIn(value as Duration) >= leastNanos;
  },
  lte: (bound) => {
    const mostNanos = nanosIn(bound as Duration);
    return (value) => isOrdinary(value as Duration) && nanosIn(value as Duration) <= mostNanos;
  },
};

const scalarRules: Readonly<Partial<Record<ScalarType, { name: string; known: KnownRules }>>> = {
  [ScalarType.STRING]: { name: "string", known: stringRules },
  [ScalarType.BYTES]: { name: "bytes", known: bytesRules },
  [ScalarType.INT32]: { name: "int32", known: integerRules },
  [ScalarType.INT64]: { name: "int64", known: integerRules },
};

const messageRules: Readonly<Record<string, { name: string; known: KnownRules }>> = {
  "google.protobuf.Duration": { name: "duration", known: durationRules },
};

/** What the rules ask of a single value of a type. Rules of another type are a mistake in the proto, which protovalidate tells. */
export function scalarCheck(type: ScalarType, rules: FieldRules): Check {
  const { name, known } = scalarRules[type] ?? { name: "", known: {} };
  return typedCheck(rules, name, known);
}

/** What the rules ask of an enum's number. */
export function enumCheck({ values }: DescEnum, rules: FieldRules): Check {
  const defined = new Set<unknown>(values.map(({ number }) => number));
  return typedCheck(rules, "enum", { defined_only: (isOn) => (isOn === true ? (value) => defined.has(value) : always) });
}

/** What the rules on a field ask of the message in it, beside the message's own rules. */
export function messageFieldCheck({ typeName }: DescMessage, rules: FieldRules): Check {
  const { name, known } = messageRules[typeName] ?? { name: "", known: {} };
  return typedCheck(rules, name, known);
}

/** What the rules of a field ask where those of this name are the ones that it can have. Whether it is required is left to whoever has the field. */
export function typedCheck(rules: FieldRules, name: string, known: KnownRules): Check {
  const schema = FieldRulesSchema.fields.find((field) => field.name === name)?.message;
  const typed: KnownRules = schema === undefined ? {} : { [name]: (typeRules) => checkOfRules(schema, typeRules as Message, known) };
  return checkOfRules(FieldRulesSchema, rules, { ...typed, required: () => always });
}

function codePoints(text: string): number {
  return Array.from(text).length;
}

/** Seconds that protobuf's Duration may have. */
const durationMaxSeconds = 315_576_000_000n;

/** Forward, and in the form that protobuf asks for: negative ones have a sign on both parts, and other forms are not worth knowing. */
function isOrdinary({ seconds, nanos }: Duration): boolean {
  return seconds >= 0n && seconds <= durationMaxSeconds && nanos >= 0 && nanos <= 999_999_999;
}

function nanosIn({ seconds, nanos }: Duration): bigint {
  return seconds * 1_000_000_000n + BigInt(nanos);
}
