// Checks a request against the rules in its proto, and says in plain words which field breaks which.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { Validator, Violation } from "@bufbuild/protovalidate";
import { serviceError } from "./errors.ts";
import type { FieldViolation } from "./errors.ts";
import { refuseLargeMaps } from "./large-maps.ts";
import { createSurelyValid } from "./surely-valid.ts";

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
 * Most requests are found right by a quick check. Of the others protovalidate alone says whether they are wrong, and in what. It comes with the first of them, which
 * takes some 110 ms, and everybody else waits that long once: reading it at every start would cost as much, and 15 MB or more that most services never need.
 */
export function createRequestValidator(services: readonly DescService[]): RequestValidator {
  const surelyValid = createSurelyValid(services.flatMap(({ methods }) => methods.map(({ input }) => input)));
  let validator: Validator | undefined;
  return (schema, message) => {
    if (surelyValid(schema, message)) return;
    refuseLargeMaps(schema, message);
    validator ??= loadProtovalidate().createValidator({ failFast: false });
    const result = validator.validate(schema, message);
    if (result.kind === "valid") return;
    // A rule that cannot be evaluated is a defect of ours.
    if (result.kind === "error") throw result.error;
    throw violationError(result.violations);
  };
}

/** At once, which import() cannot; and the very module that an import would bring, so that nothing is there twice. */
function loadProtovalidate(): typeof import("@bufbuild/protovalidate") {
  return createRequire(import.meta.url)(fileURLToPath(import.meta.resolve("@bufbuild/protovalidate"))) as typeof import("@bufbuild/protovalidate");
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
