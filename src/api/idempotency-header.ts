// The `Idempotency-Key` header: another place for the key of a mutating request, for clients whose HTTP library sets it by itself.

import type { DescField, DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { reflect } from "@bufbuild/protobuf/reflect";
import { invalidField } from "./errors.ts";

/** The header's name (draft-ietf-httpapi-idempotency-key-header), lower case as HTTP/2 wants it. Its value is taken as it is, without unquoting. */
export const idempotencyKeyHeader = "idempotency-key";

/** What is told to who sends a key for a whole batch. */
const keyOfBatch = "a batch has none of its own; give each operation in it one";

const keyFields = new WeakMap<DescMessage, DescField | null>();

/**
 * Fills the request's `idempotency_key` from the header, in place. Requests without such a field ignore the header, and so do reads, whose
 * field is something that they look for. Throws INVALID_REQUEST where both are given and differ, and for a batch, whose items have keys of their own.
 */
export function applyIdempotencyHeader(method: DescMethod, message: Message, header: string | null): void {
  if (header === null || method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return;
  const field = keyField(method.input);
  if (field === null) {
    // Who sends a key for the whole must not believe that it was taken.
    if (hasItems(method.input)) throw invalidField("idempotency_key", `${keyOfBatch}, and send no Idempotency-Key header`);
    return;
  }
  const fields = reflect(method.input, message);
  if (fields.isSet(field) && fields.get(field) !== header) {
    throw invalidField("idempotency_key", "is not the key that the Idempotency-Key header carries. Send one of them, or the same twice.");
  }
  fields.set(field, header);
}

/** Why there is no such field in this message. */
export function unknownFieldMeaning(message: DescMessage, name: string): string {
  const isKeyOfBatch = hasItems(message) && (name === "idempotency_key" || name === "idempotencyKey");
  return isKeyOfBatch ? keyOfBatch : "is not a field of this request";
}

/** Whether the request is a list of requests. */
export function hasItems(message: DescMessage): boolean {
  return message.fields.some((field) => field.fieldKind === "list" && field.listKind === "message");
}

function keyField(message: DescMessage): DescField | null {
  let field = keyFields.get(message);
  if (field === undefined) {
    field = message.fields.find((candidate) => candidate.name === "idempotency_key") ?? null;
    keyFields.set(message, field);
  }
  return field;
}
