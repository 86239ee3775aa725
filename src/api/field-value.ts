// Reads a field of a message by its descriptor.

import type { DescField, Message } from "@bufbuild/protobuf";

/** What is in the field, undefined where it is absent or another one of its oneof is there. */
export function valueOf(message: Message, { localName, oneof }: DescField): unknown {
  const fields = message as unknown as Record<string, unknown>;
  if (oneof === undefined) return fields[localName];
  const chosen = fields[oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}
