// Checks a request against the rules in its proto, and says in plain words which field breaks which.

import type { DescField, DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { Violation } from "@bufbuild/protovalidate";
import { invalidField, serviceError } from "./errors.ts";
import type { FieldViolation } from "./errors.ts";

/** Throws INVALID_REQUEST, or INVALID_AMOUNT where the first wrong field is an amount, with every field that is wrong. */
export type RequestValidator = (schema: DescMessage, message: Message) => void;

/** Violations told in one answer: what a person mends at once, and few enough for the header block that carries them in gRPC. */
const violationsMax = 16;

/** Characters of a field's path: map keys are the caller's and may be as long as a message. */
const fieldPathMaxChars = 200;

/** Fields that contain money. Their form has a reason of its own. */
const amountFields: ReadonlySet<string> = new Set(["amount", "balance_max"]);

/** What a pattern means, by the name of the field that has it. */
const patternMeanings: Readonly<Record<string, string>> = {
  user_id: "must be 1 to 128 characters out of letters, digits and ._:@+-",
  to_user_id: "must be 1 to 128 characters out of letters, digits and ._:@+-",
  currency: "must be 2 to 16 upper-case letters and digits and start with a letter, such as USD",
  amount: 'must be a decimal string such as "10.50": digits, optionally a point and digits; no sign, exponent, spaces or separators',
  balance_max: 'must be a decimal string such as "10.50": digits, optionally a point and digits; no sign, exponent, spaces or separators',
  idempotency_key: "must be 1 to 255 visible ASCII characters without spaces",
};

/**
 * A validator that has compiled the rules of every request of these services: protovalidate does so at a message's first check, which
 * takes some 90 ms that no caller should wait for.
 */
export function createRequestValidator(services: readonly DescService[]): RequestValidator {
  const validator = createValidator({ failFast: false });
  for (const service of services) {
    for (const method of service.methods) validator.validate(method.input, create(method.input));
  }
  return (schema, message) => {
    refuseLargeMaps(schema, message);
    const result = validator.validate(schema, message);
    if (result.kind === "valid") return;
    // A rule that cannot be evaluated is a defect of ours.
    if (result.kind === "error") throw result.error;
    throw violationError(result.violations);
  };
}

/** Entries of a map that are looked at one by one. Rules allow 16; a message of a few MiB can bring hundreds of thousands. */
const mapEntriesMax = 1_000;

/** Throws INVALID_REQUEST before each entry of a very large map is checked against its rules, which would keep everybody else waiting. */
function refuseLargeMaps(schema: DescMessage, message: Message): void {
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

/** What is in the field, undefined where it is absent or another one of its oneof is there. */
function valueOf(message: Message, { localName, oneof }: DescField): object | undefined {
  const fields = message as unknown as Record<string, unknown>;
  if (oneof === undefined) return fields[localName] as object | undefined;
  const chosen = fields[oneof.localName] as { case?: string; value?: object };
  return chosen.case === localName ? chosen.value : undefined;
}

function violationError(violations: readonly Violation[]) {
  const told = violations.slice(0, violationsMax).map(fieldViolation);
  const first = told[0];
  if (first === undefined) throw new Error("protovalidate calls a request invalid and names no violation");
  const more = violations.length - 1;
  const sentence = `${first.field}: ${first.description}${more === 0 ? "" : ` (and ${more} more)`}`;
  const reason = amountFields.has(lastFieldName(violations[0])) ? "INVALID_AMOUNT" : "INVALID_REQUEST";
  return serviceError(reason, sentence, { metadata: { field: first.field }, violations: told });
}

function fieldViolation(violation: Violation): FieldViolation {
  // A rule on a whole message has no field; ours are named after the field that they are about.
  const path = violation.field.length > 0 ? pathToString(violation.field) : violation.ruleId;
  return { field: clip(path), description: `${violation.forKey ? "the key " : ""}${description(violation)}` };
}

function description(violation: Violation): string {
  if (violation.ruleId !== "string.pattern") return violation.message;
  return patternMeanings[lastFieldName(violation)] ?? "does not have the form that its description asks for";
}

function lastFieldName(violation: Violation | undefined): string {
  const last = violation?.field.findLast((element) => element.kind === "field");
  return last?.kind === "field" ? last.name : "";
}

/** At most so many characters, and whole ones: half a surrogate pair cannot be sent in a header. */
function clip(path: string): string {
  return (path.length <= fieldPathMaxChars ? path : `${path.slice(0, fieldPathMaxChars)}…`).toWellFormed();
}
