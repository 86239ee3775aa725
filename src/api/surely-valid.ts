// Says of most requests at once, in less than a twentieth of the time that protovalidate takes, that they keep every rule of their proto. Of the others it says nothing.

import { getOption, isFieldSet, ScalarType, type DescField, type DescMessage, type DescOneof, type Message } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  field as fieldOption,
  message as messageOption,
  MessageRulesSchema,
  oneof as oneofOption,
  OneofRulesSchema,
  type FieldRules,
  type Rule,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { mapEntriesMax } from "./large-maps.ts";
import { always, checkOfRules, enumCheck, every, messageFieldCheck, never, scalarCheck, typedCheck, type Check } from "./sure-rules.ts";

/** True where the message surely keeps all rules and has no large map. False says nothing about it. */
export type SurelyValid = (schema: DescMessage, message: Message) => boolean;

/** Ready for messages of these types; the rules of others are read when it meets the first. */
export function createSurelyValid(schemas: readonly DescMessage[]): SurelyValid {
  const checks = new Map<DescMessage, Check>();
  for (const schema of schemas) messageCheck(schema, checks);
  return (schema, message) => messageCheck(schema, checks)(message);
}

type Fields = Record<string, unknown>;

/** Rules written out in the proto of a message, as exactly this expression, and what they mean there. */
const knownExpressions: Readonly<Record<string, Check>> = {
  "wallet.v1.GetOperationRequest: has(this.operation_id) ? !has(this.user_id) && !has(this.idempotency_key) : has(this.user_id) && has(this.idempotency_key)": (message) => {
    const { operationId, userId, idempotencyKey } = message as Fields;
    const isByKey = operationId === undefined;
    return (userId !== undefined) === isByKey && (idempotencyKey !== undefined) === isByKey;
  },
};

function messageCheck(schema: DescMessage, checks: Map<DescMessage, Check>): Check {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  // Until it is made: of a message that contains its own type nothing is sure.
  checks.set(schema, never);
  const check = every([
    checkOfRules(MessageRulesSchema, getOption(schema, messageOption), {
      cel: (rules) => every((rules as Rule[]).map(({ expression }) => knownExpressions[`${schema.typeName}: ${expression}`] ?? never)),
    }),
    ...schema.fields.filter(({ oneof }) => oneof === undefined).map((field) => fieldCheck(field, checks)),
    ...schema.oneofs.map((oneof) => oneofCheck(oneof, checks)),
  ]);
  checks.set(schema, check);
  return check;
}

/** What a message has to be because of one of its fields. */
function fieldCheck(field: DescField, checks: Map<DescMessage, Check>): Check {
  const rules = getOption(field, fieldOption);
  const isThere: Check = rules.required ? (message) => isFieldSet(message as Message, field) : always;
  const ofValue = valueCheck(field, rules, checks);
  if (ofValue === always || ofValue === never) return every([isThere, ofValue]);
  const name = field.localName;
  if (field.presence === FeatureSet_FieldPresence.IMPLICIT) return every([isThere, (message) => ofValue((message as Fields)[name])]);
  const kept: Check = (message) => {
    const value = (message as Fields)[name];
    return value === undefined || ofValue(value);
  };
  return every([isThere, kept]);
}

/** What a message has to be because of those of its fields of which it has one. */
function oneofCheck(oneof: DescOneof, checks: Map<DescMessage, Check>): Check {
  const { localName } = oneof;
  const rules = getOption(oneof, oneofOption);
  const byCase = new Map(oneof.fields.map((field) => [field.localName, choiceCheck(field, checks)]));
  const kept: Check = (message) => {
    const chosen = (message as Fields)[localName] as { case: string | undefined; value?: unknown };
    return chosen.case === undefined ? !rules.required : byCase.get(chosen.case)!(chosen.value);
  };
  return every([checkOfRules(OneofRulesSchema, rules, { required: () => always }), kept]);
}

/** A required field of a oneof would forbid the others. */
function choiceCheck(field: DescField, checks: Map<DescMessage, Check>): Check {
  const rules = getOption(field, fieldOption);
  return rules.required ? never : valueCheck(field, rules, checks);
}

/** What a field's value has to be where there is one. */
function valueCheck(field: DescField, rules: FieldRules, checks: Map<DescMessage, Check>): Check {
  switch (field.fieldKind) {
    case "scalar":
      return scalarCheck(field.scalar, rules);
    case "enum":
      return enumCheck(field.enum, rules);
    case "message":
      return every([messageFieldCheck(field.message, rules), messageCheck(field.message, checks)]);
    case "list":
      return listCheck(rules, field.listKind === "message" ? messageCheck(field.message, checks) : always);
    case "map":
      // Maps of other things have not been needed.
      return field.mapKey === ScalarType.STRING && field.mapKind === "scalar" ? mapCheck(rules, field.scalar) : never;
  }
}

function listCheck(rules: FieldRules, ofItem: Check): Check {
  const ofList = typedCheck(rules, "repeated", {
    min_items: (bound) => (items) => (items as unknown[]).length >= Number(bound),
    max_items: (bound) => (items) => (items as unknown[]).length <= Number(bound),
  });
  return every([ofList, ofItem === always || ofItem === never ? ofItem : (items) => (items as unknown[]).every(ofItem)]);
}

function mapCheck(rules: FieldRules, valueType: ScalarType): Check {
  const notMoreThan = (entriesMax: number): Check => (map) => Object.keys(map as object).length <= entriesMax;
  const ofEntries = typedCheck(rules, "map", {
    max_pairs: (bound) => notMoreThan(Number(bound)),
    keys(keyRules) {
      const ofKey = scalarCheck(ScalarType.STRING, keyRules as FieldRules);
      return (map) => Object.keys(map as object).every(ofKey);
    },
    values(valueRules) {
      const ofValue = scalarCheck(valueType, valueRules as FieldRules);
      return (map) => Object.values(map as object).every(ofValue);
    },
  });
  return every([notMoreThan(mapEntriesMax), ofEntries]);
}
