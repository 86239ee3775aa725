// Every field of a request wrong in every way, made from the proto's descriptor and rules: a new field gets its rows by being declared.

import type { DescField, DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ScalarType, fromJson, getOption, hasOption } from "@bufbuild/protobuf";
import { field as fieldRules, type FieldRules, type Int64Rules, type StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Reason } from "../../src/api/errors.ts";

/** A request that is wrong in one field. */
export interface BadRequest {
  readonly title: string;
  /** The fields that the error may name: the wrong one, or the oneof that it belongs to. */
  readonly fields: readonly string[];
  readonly reason: Reason;
  /** Takes a place in a good request; `absent` takes the field out of it. */
  readonly value: JsonValue | typeof absent;
  readonly field: string;
}

export const absent = Symbol("absent");

/** Texts that somebody will send one day. Which of them a field takes is for its rule to say. */
const strangeTexts: readonly string[] = [
  "", " ", "a b", " a", "a ", "\t", "a\n", "\0", "a\0b", "\u0007", "\u007f", "\u0085", "\u200b", "\ufeffa", "\u202e1",
  "-1", "+1", "1e2", "1E2", "0x10", "1,00", "1_000", "1 000", "1.", ".5", ".", "1.2.3", "--1", "NaN", "Infinity", "-Infinity", "null", "undefined", "true",
  "１", "٣", "１００.００", "1٫5", "−1", "½", "Ⅷ", "1🪙", "ＵＳＤ", "usd", "Usd", "U", "1USD", "US$", "USD\n", "é", "ﬁ", "ß", "\u0041\u030a",
  "'; DROP TABLE wallet; --", "\" OR 1=1", "${7*7}", "{{7*7}}", "<script>", "../../etc/passwd", "%00", "%s%n", "\\u0041", "__proto__/x",
];

/** In digits and letters of one, two and four bytes; lengths are those that some rule ends at, and one that none reaches. */
const longTexts = ["1", "A", "é", "🪙"].flatMap((character) => [17, 65, 129, 256, 257, 1_000].map((length) => character.repeat(length)));

/** Half a surrogate pair is no text at all, so no field takes it. */
const noTexts: readonly string[] = ["\ud800", "a\udc00", "\udc00\ud800"];

const otherTypes: readonly JsonValue[] = [true, false, [], ["a"], {}, { a: 1 }];

/** What is wrong about the number of an amount, whatever its form; USD is the currency. */
const badAmounts: readonly (readonly [string, Reason])[] = [
  ["0", "INVALID_AMOUNT"],
  ["0.00", "INVALID_AMOUNT"],
  ["000", "INVALID_AMOUNT"],
  ["0.001", "AMOUNT_TOO_PRECISE"],
  ["1.005", "AMOUNT_TOO_PRECISE"],
  [`0.${"0".repeat(60)}1`, "AMOUNT_TOO_PRECISE"],
  ["92233720368547758.08", "AMOUNT_OUT_OF_RANGE"],
  ["9".repeat(64), "AMOUNT_OUT_OF_RANGE"],
];

/**
 * Every way in which a request of this method can be wrong in one of its fields. `goods` are requests in which nothing is wrong; a field that is in
 * none of them is added to the first.
 */
export function badRequests(method: DescMethod, goods: readonly JsonObject[]): (BadRequest & { readonly good: JsonObject })[] {
  return method.input.fields.flatMap((field) => {
    const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
    const wrong = [...absence(field, rules), ...badValues(field, rules)];
    const good = goods.find((each) => field.name in each) ?? goods[0]!;
    const fields = [field.name, ...(field.oneof === undefined ? [] : [field.oneof.name])];
    return wrong.map((each) => ({ ...each, field: field.name, fields, good }));
  });
}

type Wrong = Pick<BadRequest, "title" | "value" | "reason">;

/** A field without presence that must not be empty: leaving it out and sending null both leave it empty. */
function absence(field: DescField, rules: FieldRules | undefined): Wrong[] {
  const { type } = rules ?? { type: { case: undefined, value: undefined } };
  const isRequired = !isOptional(field) && ((type.case === "string" && !fits(type.value, "")) || (type.case === "int64" && !isInRange(type.value, 0n)) || type.case === "bytes");
  if (!isRequired) return [];
  const reason = reasonOfForm(field);
  return [
    { title: "missing", value: absent, reason },
    { title: "null", value: null, reason },
  ];
}

function badValues(field: DescField, rules: FieldRules | undefined): Wrong[] {
  if (field.fieldKind === "map") return badMaps(rules);
  if (field.fieldKind === "message" && field.message.typeName === "google.protobuf.Duration") return badDurations;
  if (field.fieldKind === "list" && field.listKind === "message") return badLists;
  if (field.fieldKind === "message" && field.message.typeName === "google.protobuf.Timestamp") return badTimes(field);
  if (field.fieldKind === "enum") return badNames;
  if (field.fieldKind !== "scalar") throw new Error(`${String(field)} is of a kind that this table does not know; teach it`);
  switch (field.scalar) {
    case ScalarType.STRING:
      return badTexts(field, rules);
    case ScalarType.INT64:
      return badIntegers(rules);
    case ScalarType.INT32:
      return badSmallIntegers;
    case ScalarType.BYTES:
      return badBytes(field, rules);
    case ScalarType.BOOL:
      return rows("INVALID_REQUEST", ["true", "yes", "", 0, 1, [], {}, "NaN"]);
    default:
      throw new Error(`${String(field)} has a type that this table does not know; teach it`);
  }
}

function badTexts(field: DescField, rules: FieldRules | undefined): Wrong[] {
  if (rules?.type.case !== "string") throw new Error(`${String(field)} has no rule: how long may it be, and of what?`);
  const { value } = rules.type;
  const unfit = [...strangeTexts, ...longTexts].filter((text) => !fits(value, text));
  const amounts = field.name === "amount" ? badAmounts : field.name === "balance_max" ? badAmounts.filter(([, reason]) => reason !== "INVALID_AMOUNT") : [];
  const noTokens = field.name === "page_token" ? strangeTexts.filter((text) => text !== "") : [];
  return [
    ...rows(reasonOfForm(field), unfit),
    ...rows("INVALID_PAGE_TOKEN", noTokens),
    ...(field.name === "resume_token" ? rows("INVALID_REQUEST", strangeTexts) : []),
    ...rows("INVALID_REQUEST", [...noTexts, ...otherTypes, 5, 1.5, -1]),
    ...amounts.map(([text, reason]) => ({ title: JSON.stringify(text), value: text, reason })),
  ];
}

/** Whole numbers for JavaScript, and for protobuf-es. */
const notPlain = ["0x10", "0X1", "0b1", "0o7", " 1", "1 ", "\n1", "\u00a01"];

function badIntegers(rules: FieldRules | undefined): Wrong[] {
  const unfit = [-1n, 0n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n, 2n ** 65n + 5n].filter((value) => BigInt.asIntN(64, value) !== value || (rules?.type.case === "int64" && !isInRange(rules.type.value, value)));
  const noIntegers = ["", "abc", "1.5", "1.0.0", "1e400", "NaN", "Infinity", "-Infinity", "１", "٣", "--1", "1 2", "1\0", "null", ...notPlain, 1.5, 0.1, 1e300];
  return rows("INVALID_REQUEST", [...unfit.map(String), ...noIntegers, ...otherTypes]);
}

/** Too few and too many bytes, and texts that are no base64. */
function badBytes(field: DescField, rules: FieldRules | undefined): Wrong[] {
  if (rules?.type.case !== "bytes" || rules.type.value.len === 0n) throw new Error(`${String(field)} has no rule: how many bytes are there?`);
  const length = Number(rules.type.value.len);
  const unfit = [0, 1, length - 1, length + 1, 2 * length, 300].map((bytes) => Buffer.alloc(bytes, 7).toString("base64"));
  return rows("INVALID_REQUEST", [...unfit, "!", "é", "🪙", "a.b", `${"A".repeat(42)}!=`, ...otherTypes, 5, 1.5]);
}

function badMaps(rules: FieldRules | undefined): Wrong[] {
  if (rules?.type.case !== "map") throw new Error("a map has no rule: how many entries may it have, and how long may they be?");
  const { maxPairs, keys, values } = rules.type.value;
  const [key, value] = [keys?.type, values?.type];
  if (maxPairs === undefined || key?.case !== "string" || value?.case !== "string") throw new Error("a map has a rule that this table does not know; teach it");
  const tooMany = Object.fromEntries(Array.from({ length: Number(maxPairs) + 1 }, (_, index) => [`k${index}`, "v"]));
  const maps: readonly (readonly [string, JsonValue])[] = [
    ["too many entries", tooMany],
    ["a key too long", { ["k".repeat(Number(key.value.maxLen) + 1)]: "v" }],
    ["a key of too many emoji", { ["🪙".repeat(Number(key.value.maxLen) + 1)]: "v" }],
    ["an empty key", { "": "v" }],
    ["a value too long", { k: "v".repeat(Number(value.value.maxLen) + 1) }],
    ["a key that is no text", { "\ud800": "v" }],
    ["a value that is no text", { k: "\udc00" }],
    ["a value that is nothing", { k: null }],
    ["a value that is a list", { k: ["v"] }],
    ["a value that is an object", { k: { k: "v" } }],
    ["a value that is true", { k: true }],
  ];
  return [...rows("INVALID_REQUEST", [[], [["k", "v"]], "k=v", 5, true]), ...maps.map(([title, each]): Wrong => ({ title, value: each, reason: "INVALID_REQUEST" }))];
}

/** Of messages. What may be wrong within one of them is the message's own. */
const badLists = rows("INVALID_REQUEST", ["", "x", 5, true, {}, { 0: {} }, [], [5], ["x"], [true], [[]], [null]]);

const badDurations = rows("INVALID_REQUEST", [
  "0s", "-1s", "-0.001s", "0.0001s", "0.000000001s", "0.0015s", "1.000000001s", "315360001s", "315360000.001s", "315576000001s", "99999999999999999999s",
  "", "s", "1", "1m", "1h", "1 s", "1e3s", "NaNs", "Infinitys", "１s", "1s1s", "0.0000000001s", 1, 0, true, [], {}, { seconds: 1 },
]);

/** protobuf-es 2.17 reads them as times of the day, or the month, behind. */
const rolledOver: readonly string[] = ["2020-01-01T24:00:00Z", "2019-02-29T00:00:00Z", "2020-02-30T00:00:00Z", "2020-04-31T23:59:59+02:00"];

const badTimestamps = rows("INVALID_REQUEST", [
  "", "now", "yesterday", "2020-01-01", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z", "2020-01-32T00:00:00Z", "2020-01-01T25:00:00Z", ...rolledOver, "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
  "２０２０-01-01T00:00:00Z", 1577836800, true, [], {}, { seconds: 1 },
]);

/** Only a question about the past has an answer. */
function badTimes(field: DescField): Wrong[] {
  return field.name === "as_of_time" ? [...badTimestamps, ...rows("INVALID_REQUEST", ["9999-12-31T23:59:59Z"])] : badTimestamps;
}

/** Sizes: below zero, and everything that is no 32-bit integer. */
const badSmallIntegers = rows("INVALID_REQUEST", [
  -1, "-1", -2147483648, 2147483648, "2147483648", "4294967296", -2147483649, 1e300, 1.5, "1.5", "", "abc", "NaN", "Infinity", "１", "1 2", "null", ...notPlain, ...otherTypes,
]);

/** Names that no enum has, and numbers of none of its values. */
const badNames = rows("INVALID_REQUEST", ["", "ACTIVE", "hold_status_active", "HOLD_STATUS_MELTED", "OPERATION_KIND_", "１", -1, 99, 2147483648, 1.5, ...otherTypes]);

function rows(reason: Reason, values: readonly JsonValue[]): Wrong[] {
  return values.map((value) => ({ title: titleOf(value), value, reason }));
}

function titleOf(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}… (${text.length})`;
}

/** An amount that has not the form of one is told apart; everything else is an invalid request. */
function reasonOfForm({ name }: DescField): Reason {
  return name === "amount" || name === "balance_max" ? "INVALID_AMOUNT" : "INVALID_REQUEST";
}

function isOptional(field: DescField): boolean {
  return field.proto.proto3Optional || field.oneof !== undefined;
}

function fits(rules: StringRules, text: string): boolean {
  const length = Array.from(text).length;
  if (rules.pattern !== undefined && rules.pattern !== "" && !new RegExp(rules.pattern, "u").test(text)) return false;
  return length >= Number(rules.minLen) && (rules.maxLen === 0n || length <= Number(rules.maxLen));
}

function isInRange({ greaterThan, lessThan }: Int64Rules, value: bigint): boolean {
  const isAbove = greaterThan.case === undefined || (greaterThan.case === "gt" ? value > greaterThan.value : value >= greaterThan.value);
  const isBelow = lessThan.case === undefined || (lessThan.case === "lt" ? value < lessThan.value : value <= lessThan.value);
  return isAbove && isBelow;
}

/** The wrong request whole. */
export function requestWith(good: JsonObject, { field, value }: BadRequest): JsonObject {
  const { [field]: _, ...others } = good;
  return value === absent ? others : { ...others, [field]: value };
}

/** Whether a number stands where the proto has a text: on the original's paths it is as good as the text of its digits. */
export function hasNumberForText(method: DescMethod, request: JsonObject): boolean {
  return method.input.fields.some((field) => field.fieldKind === "scalar" && typeof request[field.name] === "number");
}

/** Whether protobuf's binary form can say it: then a client of gRPC can be as wrong. */
export function isBinaryExpressible(method: DescMethod, request: JsonObject): boolean {
  const durations = method.input.fields.filter((field) => field.message?.typeName === "google.protobuf.Duration");
  if (!durations.every(({ name }) => hasFormOfDuration(request[name]))) return false;
  if (method.input.fields.some(({ name }) => notPlain.includes(request[name] as string) || rolledOver.includes(request[name] as string))) return false;
  try {
    fromJson(method.input, request);
    return true;
  } catch {
    return false;
  }
}

/** protobuf-es 2.17 reads `1s1s` as a second, so it is no judge of this. */
function hasFormOfDuration(value: JsonValue | undefined): boolean {
  return typeof value !== "string" || /^-?\d+(\.\d{1,9})?s$/.test(value);
}
