// Requests of the REST paths as protobuf JSON: numbers where the proto has strings, fields from the query, and nothing said twice.

import { ScalarType, fromJsonString } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { invalidField, serviceError } from "../api/errors.ts";
import { echo } from "./early-errors.ts";

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

/**
 * The fields of a JSON body; blank text has none. Numbers become strings where the proto has strings or integers, by the literal's own digits.
 * Unknown fields are left in: who decodes the message refuses them. Throws INVALID_REQUEST.
 */
export function bodyFields(text: string, message: DescMessage): JsonObject {
  if (text.trim() === "") return {};
  try {
    // For its check of duplicate keys, which JSON.parse takes silently.
    fromJsonString(EmptySchema, text, { ignoreUnknownFields: true });
    const parsed: unknown = JSON.parse(text, keepLiterals as (key: string, value: unknown) => unknown);
    return fieldsOf(parsed, message);
  } catch (thrown) {
    if (thrown instanceof RangeError) throw serviceError("INVALID_REQUEST", "The body is nested too deeply.");
    if (!(thrown instanceof Error) || !thrown.message.startsWith(EMPTY_DECODING)) throw thrown;
    const what = thrown.message.slice(EMPTY_DECODING.length);
    const duplicate = /^ duplicate object key "(.*)"$/s.exec(what);
    if (duplicate) throw invalidField(echo(duplicate[1] ?? ""), "is there twice");
    throw serviceError("INVALID_REQUEST", `The body is not a JSON object: ${echo(what.replace(/^: ?/, "").trim())}`);
  }
}

const EMPTY_DECODING = "cannot decode message google.protobuf.Empty from JSON:";

/** The fields of a query, one parameter each. Throws INVALID_REQUEST where a parameter comes twice with different values. */
export function queryFields(query: string, message: DescMessage): JsonObject {
  const fields: JsonObject = record();
  const texts = new Map<string, string>();
  for (const [key, text] of new URLSearchParams(query)) {
    const field = fieldNamed(message, key);
    const name = field?.name ?? key;
    if (texts.has(name) && texts.get(name) !== text) throw invalidField(echo(name), "is in the query several times, with different values");
    texts.set(name, text);
    fields[field?.name ?? key] = fromQuery(field, text);
  }
  return fields;
}

/** Both together. Throws INVALID_REQUEST where they say different things about a field; a null in the body says nothing. */
export function mergeFields(message: DescMessage, body: JsonObject, query: JsonObject): JsonObject {
  const merged: JsonObject = Object.assign(record(), body);
  for (const [name, value] of Object.entries(query)) {
    const bodyKey = Object.keys(body).find((key) => (fieldNamed(message, key)?.name ?? key) === name);
    const inBody = bodyKey === undefined ? null : (body[bodyKey] ?? null);
    if (bodyKey !== undefined) delete merged[bodyKey];
    if (inBody !== null && (typeof inBody === "object" || String(inBody) !== textOf(value))) {
      throw invalidField(echo(name), "has one value in the query and another in the body. Give it once, or the same twice.");
    }
    merged[name] = value;
  }
  return merged;
}

/** A query's value as the text that it was. */
function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Without a prototype, so that a key such as `__proto__` is a key like any other. */
function record(): JsonObject {
  return Object.create(null) as JsonObject;
}

function keepLiterals(_key: string, value: unknown, context: { source?: string }): unknown {
  return typeof value === "number" ? new NumberLiteral(context.source ?? String(value)) : value;
}

function fieldNamed(message: DescMessage, key: string): DescField | undefined {
  return message.fields.find((field) => field.name === key || field.jsonName === key);
}

function fieldsOf(value: unknown, message: DescMessage): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof NumberLiteral) {
    throw serviceError("INVALID_REQUEST", "The body is not a JSON object.");
  }
  const fields = record();
  for (const [key, each] of Object.entries(value)) fields[key] = fieldValue(each, fieldNamed(message, key));
  return fields;
}

function fieldValue(value: unknown, field: DescField | undefined): JsonValue {
  if (field?.fieldKind === "list" && Array.isArray(value)) return value.map((item) => oneValue(item, field, field.scalar, field.message));
  if (field?.fieldKind === "map" && isObject(value)) {
    const entries = record();
    for (const [key, item] of Object.entries(value)) entries[key] = oneValue(item, field, field.scalar, field.message);
    return entries;
  }
  return oneValue(value, field, field?.scalar, field?.message);
}

function oneValue(value: unknown, field: DescField | undefined, scalar: ScalarType | undefined, message: DescMessage | undefined): JsonValue {
  if (value instanceof NumberLiteral) return numberValue(value, field, scalar);
  // Google's own types have forms of their own in JSON.
  if (message !== undefined && isObject(value) && !message.typeName.startsWith("google.protobuf.")) return fieldsOf(value, message);
  return plainValue(value);
}

function numberValue({ digits }: NumberLiteral, field: DescField | undefined, scalar: ScalarType | undefined): JsonValue {
  if (scalar === ScalarType.STRING && field !== undefined) {
    if (!/^-?\d+(\.\d+)?$/.test(digits)) throw invalidField(field.name, `must be written without an exponent, not as ${echo(digits)}`);
    return digits;
  }
  if (scalar !== undefined && integers.has(scalar) && /^-?\d+$/.test(digits)) return digits;
  return Number(digits);
}

function plainValue(value: unknown): JsonValue {
  if (value instanceof NumberLiteral) return Number(value.digits);
  if (Array.isArray(value)) return value.map(plainValue);
  if (!isObject(value)) return value as JsonValue;
  const plain = record();
  for (const [key, each] of Object.entries(value)) plain[key] = plainValue(each);
  return plain;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral);
}

/** Text of a query in the JSON form of its field. Wrong text is left to whoever decodes the message, whose error names the field. */
function fromQuery(field: DescField | undefined, text: string): JsonValue {
  if (field === undefined) return text;
  const isWellKnown = field.fieldKind === "message" && field.message.typeName.startsWith("google.protobuf.");
  if (field.fieldKind === "list" || field.fieldKind === "map" || (field.fieldKind === "message" && !isWellKnown)) {
    throw invalidField(field.name, "has several parts and cannot be given in the query; put it into a JSON body");
  }
  if (field.fieldKind === "enum" && /^-?\d+$/.test(text)) return Number(text);
  if (field.fieldKind === "scalar" && field.scalar === ScalarType.BOOL && (text === "true" || text === "false")) return text === "true";
  return text;
}
