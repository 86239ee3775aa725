// A REST request's fields: those of the query, and those of the query and the body together, with nothing said twice.

import { ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { invalidField } from "../api/errors.ts";
import { echo } from "./early-errors.ts";
import { emptyObject, fieldNamed, flawOfInteger, flawOfWellKnown } from "./request-json.ts";

/** The fields of a query, one parameter each. Throws INVALID_REQUEST where a parameter comes twice with different values. */
export function queryFields(query: string, message: DescMessage): JsonObject {
  const fields = emptyObject();
  const texts = new Map<string, string>();
  for (const [key, text] of new URLSearchParams(query)) {
    const field = fieldNamed(message, key);
    const name = field?.name ?? key;
    if (texts.has(name) && texts.get(name) !== text) throw invalidField(echo(name), "is in the query several times, with different values");
    texts.set(name, text);
    fields[name] = fromQuery(field, text);
  }
  return fields;
}

/** Both together. Throws INVALID_REQUEST where they say different things about a field; a null in the body says nothing. */
export function mergeFields(message: DescMessage, body: JsonObject, query: JsonObject): JsonObject {
  const merged = Object.assign(emptyObject(), body);
  for (const [name, value] of Object.entries(query)) {
    const [bodyKey, otherKey] = Object.keys(body).filter((key) => (fieldNamed(message, key)?.name ?? key) === name);
    if (otherKey !== undefined) throw invalidField(echo(name), "is in the body twice, in both spellings");
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

/** Text of a query in the JSON form of its field. Wrong text is left to whoever decodes the message, whose error names the field. */
function fromQuery(field: DescField | undefined, text: string): JsonValue {
  if (field === undefined) return text;
  const isWellKnown = field.fieldKind === "message" && field.message.typeName.startsWith("google.protobuf.");
  if (field.fieldKind === "list" || field.fieldKind === "map" || (field.fieldKind === "message" && !isWellKnown)) {
    throw invalidField(field.name, "has several parts and cannot be given in the query; put it into a JSON body");
  }
  const flaw = field.fieldKind === "message" ? flawOfWellKnown(field.message, text) : flawOfInteger(field, text);
  if (flaw !== undefined) throw invalidField(field.name, flaw);
  if (field.fieldKind === "enum" && /^-?\d+$/.test(text)) return Number(text);
  if (field.fieldKind === "scalar" && field.scalar === ScalarType.BOOL && (text === "true" || text === "false")) return text === "true";
  return text;
}
