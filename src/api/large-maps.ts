// Refuses maps that are so large that checking each of their entries would keep everybody else waiting.

import type { DescMessage, Message } from "@bufbuild/protobuf";
import { invalidField } from "./errors.ts";
import { valueOf } from "./field-value.ts";

/** Entries of a map that are looked at one by one. Rules allow 16; a message of a few MiB can bring hundreds of thousands. */
export const mapEntriesMax = 1_000;

/** Throws INVALID_REQUEST where a map, at whatever depth, has more entries than are looked at. */
export function refuseLargeMaps(schema: DescMessage, message: Message): void {
  for (const { fieldName, entries } of largeMaps(schema, message)) {
    throw invalidField(fieldName, `has ${entries} entries, far more than it may have`);
  }
}

function* largeMaps(schema: DescMessage, message: Message, path = ""): Generator<{ fieldName: string; entries: number }> {
  for (const field of schema.fields) {
    const fieldName = `${path}${field.name}`;
    if (field.fieldKind === "map") {
      const entries = Object.keys(valueOf(message, field) ?? {}).length;
      if (entries > mapEntriesMax) yield { fieldName, entries };
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      const items = (valueOf(message, field) ?? []) as Message[];
      for (const [index, item] of items.entries()) yield* largeMaps(field.message, item, `${fieldName}[${index}].`);
    } else if (field.fieldKind === "message") {
      const inner = valueOf(message, field);
      if (inner !== undefined) yield* largeMaps(field.message, inner as Message, `${fieldName}.`);
    }
  }
}
