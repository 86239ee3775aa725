// A request's JSON, read so that nothing of it is lost before protobuf-es decodes it: every digit, every key, every byte.

import { ScalarType, fromJsonString } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { invalidField, serviceError } from "../api/errors.ts";
import { hasItems, unknownFieldMeaning } from "../api/idempotency-header.ts";
import { echo } from "./early-errors.ts";

/** Whether a number may stand where the proto has a string: its literal's digits are the string then. protobuf's own JSON mapping says no. */
export type NumbersForStrings = "taken" | "refused";

/** A number as it was written: JavaScript's own would lose digits of an amount or an id. */
class NumberLiteral {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}

const integers: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.UINT32,
  ScalarType.UINT64,
  ScalarType.SINT32,
  ScalarType.SINT64,
  ScalarType.FIXED32,
  ScalarType.FIXED64,
  ScalarType.SFIXED32,
  ScalarType.SFIXED64,
]);

/** What is wrong with a part of the body. Whoever looks at the part around it puts its name in front. */
class WrongPart {
  readonly path: string;
  readonly description: string;

  constructor(path: string, description: string) {
    this.path = path;
    this.description = description;
  }

  within(name: string): WrongPart {
    return new WrongPart(`${name}.${this.path}`, this.description);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The text that these bytes are. Throws INVALID_REQUEST where they are no UTF-8: a replacement character would be somebody's data. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw serviceError("INVALID_REQUEST", "The body is not UTF-8.");
  }
}

/**
 * The fields of a JSON object, by the keys that were sent. Throws INVALID_REQUEST for anything else than a JSON object, a key that is unknown or there twice, a value of another kind than its field's, a number that JavaScript
 * cannot carry, and a duration that is none. Some of that protobuf-es would take, and of the rest it would not say where in the body it is. What else is wrong is left to it.
 */
export function requestFields(text: string, message: DescMessage, numbersForStrings: NumbersForStrings): JsonObject {
  assertReadable(text, message);
  try {
    // For its check of duplicate keys, which JSON.parse takes silently.
    fromJsonString(EmptySchema, text, { ignoreUnknownFields: true });
    // A reviver is asked for every value and costs several times the parsing: only where there may be a number.
    const parsed: unknown = JSON.parse(text, numberStart.test(text) ? (keepLiterals as (key: string, value: unknown) => unknown) : undefined);
    return fieldsOf(parsed, message, numbersForStrings);
  } catch (thrown) {
    if (thrown instanceof WrongPart) throw invalidField(echo(thrown.path), thrown.description);
    if (thrown instanceof RangeError) throw serviceError("INVALID_REQUEST", "The body is nested too deeply.");
    if (!(thrown instanceof Error) || !thrown.message.startsWith(emptyDecoding)) throw thrown;
    const what = thrown.message.slice(emptyDecoding.length);
    const duplicate = /^ duplicate object key "(.*)"$/s.exec(what);
    if (duplicate) throw invalidField(echo(duplicate[1] ?? ""), "is there twice");
    throw serviceError("INVALID_REQUEST", `The body is not a JSON object: ${echo(what.trim())}`);
  }
}

/**
 * Parts of a request's JSON: every bracket, comma and colon. The largest single operation has some 60; parsing, checking and refusing a part takes
 * microseconds during which nobody else is served, and 4 KB of gzip can bring millions.
 */
const partsMax = 20_000;

/** The same of a request with a list of operations: 10,000 that have everything an operation may have, 53 parts at most with 16 entries of metadata. */
const partsOfListMax = 600_000;

/** Characters of a number. The longest that means anything has 20 digits, or 64 as an amount; reading one takes time that grows with their square. */
const numberMaxChars = 64;

/** Throws INVALID_REQUEST for JSON that would take long to read. */
function assertReadable(text: string, message: DescMessage): void {
  const most = hasItems(message) ? partsOfListMax : partsMax;
  let parts = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // What stands in a text is no part. Where one is not ended, it is not JSON: that is for who reads it.
    if (code === 0x22) index = endOfText(text, index);
    // , : [ {
    else if (code === 0x2c || code === 0x3a || code === 0x5b || code === 0x7b) parts++;
  }
  if (parts > most) throw serviceError("INVALID_REQUEST", `The body has more than ${most} parts (brackets, commas and colons); send less in one request.`);
}

/** Where the quotation mark is that ends the text that begins here. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

/** Where a number may begin: behind a colon, a bracket or a comma. The same may stand within a text. */
const numberStart = /[:[,]\s*[-\d]/;

const emptyDecoding = "cannot decode message google.protobuf.Empty from JSON:";

/** Without a prototype, so that a key such as `__proto__` is a key like any other. */
export function emptyObject(): JsonObject {
  return Object.create(null) as JsonObject;
}

/** The field of this name, in the proto or in JSON. */
export function fieldNamed(message: DescMessage, key: string): DescField | undefined {
  return message.fields.find((field) => field.name === key || field.jsonName === key);
}

/** The form of RFC 3339, section 5.6. */
const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * What is wrong with the text of a duration or a time: protobuf-es 2.17 reads "1s1s" as one second, and 30 February as 2 March. What else it refuses it refuses itself; here
 * it is seen to that the error names the field.
 */
export function flawOfWellKnown(message: DescMessage, value: unknown): string | undefined {
  const isText = typeof value === "string";
  if (message.typeName === "google.protobuf.Duration" && !(isText && /^-?\d+(\.\d{1,9})?s$/.test(value))) {
    return 'must be a number of seconds with at most nine decimals and an s, such as "600s"';
  }
  if (message.typeName !== "google.protobuf.Timestamp") return undefined;
  const day = isText ? rfc3339.exec(value)?.[1] : undefined;
  if (day === undefined) return 'must be a time in the form of RFC 3339, such as "2026-01-31T12:00:00Z"';
  return isDay(day) ? undefined : `must be on a day that the calendar has, and ${day} is none`;
}

/** Such as "2026-01-31". JavaScript counts a day that its month does not have into the next one. */
function isDay(text: string): boolean {
  const startMs = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(startMs) && new Date(startMs).toISOString().startsWith(text);
}

/** What is wrong with the text of a whole number: protobuf-es takes whatever JavaScript does, so that "0x10" would be 16, and " 1" one. Whether other text is a number is for who reads it. */
export function flawOfInteger(field: DescField, text: string): string | undefined {
  if (field.scalar === undefined || !integers.has(field.scalar)) return undefined;
  if (text.length > numberMaxChars) return `must be a whole number, of at most ${numberMaxChars} characters`;
  return /^\s|\s$|^[+-]?0[xob]/i.test(text) ? `must be written in plain digits, not as ${echo(text)}` : undefined;
}

function keepLiterals(_key: string, value: unknown, context: { source?: string }): unknown {
  return typeof value === "number" ? new NumberLiteral(context.source ?? String(value)) : value;
}

function fieldsOf(value: unknown, message: DescMessage, numbers: NumbersForStrings): JsonObject {
  if (!isObject(value)) throw serviceError("INVALID_REQUEST", "The body is not a JSON object.");
  const fields = emptyObject();
  for (const [key, each] of Object.entries(value)) {
    const field = fieldNamed(message, key);
    if (field === undefined) throw new WrongPart(key, unknownFieldMeaning(message, key));
    // protobuf-es takes a null for one of several for that one.
    if (each !== null || field.oneof === undefined) fields[key] = fieldValue(each, field, numbers);
  }
  return fields;
}

function fieldValue(value: unknown, field: DescField, numbers: NumbersForStrings): JsonValue {
  if (value === null) return null;
  if (field.fieldKind === "list") {
    if (!Array.isArray(value)) throw new WrongPart(field.name, "must be a list");
    return value.map((item, index) => oneValue(item, field, numbers, `[${index}]`));
  }
  if (field.fieldKind !== "map") return oneValue(value, field, numbers);
  if (!isObject(value)) throw new WrongPart(field.name, "must be an object");
  const entries = emptyObject();
  for (const [key, item] of Object.entries(value)) entries[key] = oneValue(item, field, numbers, `[${JSON.stringify(key)}]`);
  return entries;
}

/** `place`: which of the field's values it is, where there are several. */
function oneValue(value: unknown, field: DescField, numbers: NumbersForStrings, place = ""): JsonValue {
  // In a list or a map there is nothing for it to mean: protobuf-es refuses it.
  if (value === null) return null;
  const name = `${field.name}${place}`;
  const flaw = flawOf(value, field, numbers);
  if (flaw !== undefined) throw new WrongPart(name, flaw);
  if (value instanceof NumberLiteral) return numberValue(value, field);
  // Google's own types have forms of their own in JSON, which are texts here.
  if (field.message === undefined || !isObject(value)) return value as string | boolean;
  try {
    return fieldsOf(value, field.message, numbers);
  } catch (thrown) {
    throw thrown instanceof WrongPart ? thrown.within(name) : thrown;
  }
}

function flawOf(value: unknown, field: DescField, numbers: NumbersForStrings): string | undefined {
  const { message } = field;
  if (message !== undefined) return message.typeName.startsWith("google.protobuf.") ? flawOfWellKnown(message, value) : isObject(value) ? undefined : "must be an object";
  if (value instanceof NumberLiteral) return flawOfNumber(value, field, numbers);
  if (typeof value === "string") return flawOfInteger(field, value);
  const kind = Array.isArray(value) ? "a list" : isObject(value) ? "an object" : String(value);
  if (field.scalar === ScalarType.STRING) return `must be a string in quotes, not ${kind}`;
  return typeof value === "boolean" ? undefined : `must be one value, not ${kind}`;
}

function flawOfNumber({ digits }: NumberLiteral, field: DescField, numbers: NumbersForStrings): string | undefined {
  if (digits.length > numberMaxChars) return `must have at most ${numberMaxChars} characters`;
  if (field.scalar === ScalarType.STRING) {
    if (numbers === "refused") return `must be a string in quotes, not ${digits}`;
    return /^-?\d+(\.\d+)?$/.test(digits) ? undefined : `must be written without an exponent, not as ${echo(digits)}`;
  }
  const isPlain = /^-?\d+$/.test(digits);
  if (field.scalar !== undefined && integers.has(field.scalar)) {
    // protobuf's own JSON mapping takes 1.0 and 1e2 for whole numbers.
    return isPlain || (numbers === "refused" && wholeNumber(digits) !== undefined) ? undefined : `must be a whole number in plain digits, not ${echo(digits)}`;
  }
  return isPlain ? undefined : `must not be ${echo(digits)}`;
}

/** A number as its field takes it, with every digit. */
function numberValue({ digits }: NumberLiteral, field: DescField): JsonValue {
  if (field.scalar === ScalarType.STRING) return digits;
  return field.scalar !== undefined && integers.has(field.scalar) ? String(wholeNumber(digits)) : Number(digits);
}

/** Digits of an exponent that a whole number of 64 bits may have. */
const exponentDigitsMax = 2;

/** The whole number that this literal is, exactly; undefined where it is none, or is written with an exponent that no number of 64 bits has. */
function wholeNumber(digits: string): bigint | undefined {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(digits) ?? [];
  if (whole === "" || exponent.replace(/^[+-]/, "").length > exponentDigitsMax) return undefined;
  const shift = Number(exponent) - fraction.length;
  const unscaled = BigInt(`${sign}${whole}${fraction}`);
  if (shift >= 0) return unscaled * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return unscaled % divisor === 0n ? unscaled / divisor : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral);
}
