// The same protos with one rule left out, for each rule in them.

import { clearField, clone, create, createFileRegistry, getExtension, hasExtension, isFieldSet, setExtension, type DescExtension, type DescField, type DescFile, type DescMessage, type Message } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, type DescriptorProto, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import {
  field as fieldOption,
  FieldRulesSchema,
  message as messageOption,
  MessageRulesSchema,
  oneof as oneofOption,
  OneofRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** A type of message that lacks a rule which it has in truth. */
export interface DroppedRule {
  /** Such as `wallet.v1.AddMoneyRequest.amount: string.max_len`. */
  readonly name: string;
  readonly schema: DescMessage;
}

/** What carries rules in a message's own description: the message, its fields and its oneofs. */
function carriers(proto: DescriptorProto): { name: string; carrier: DescriptorProto | DescriptorProto["field"][number] | DescriptorProto["oneofDecl"][number]; option: DescExtension; rules: DescMessage }[] {
  return [
    { name: "", carrier: proto, option: messageOption, rules: MessageRulesSchema },
    ...proto.field.map((carrier) => ({ name: `.${carrier.name}`, carrier, option: fieldOption, rules: FieldRulesSchema })),
    ...proto.oneofDecl.map((carrier) => ({ name: `.${carrier.name}`, carrier, option: oneofOption, rules: OneofRulesSchema })),
  ];
}

/** One for each rule of this message, none of them twice. */
export function droppedRules(schema: DescMessage): DroppedRule[] {
  return carriers(schema.proto).flatMap(({ option, rules: rulesSchema, carrier, name }, index) => {
    if (carrier.options === undefined || !hasExtension(carrier.options, option)) return [];
    const rules = getExtension(carrier.options, option) as Message;
    return rulesIn(rulesSchema, rules).map((path) => ({
      name: `${schema.typeName}${name}: ${path.map((field) => field.name).join(".")}`,
      schema: changed(schema, (proto) => {
        const options = carriers(proto)[index]!.carrier.options as Message;
        const fewer = clone(rulesSchema, rules);
        drop(fewer, path);
        setExtension(options, option, fewer);
      }),
    }));
  });
}

/** Where each rule is in a message of rules: those in rules for keys, values and the like included. */
function rulesIn(schema: DescMessage, rules: Message): DescField[][] {
  const used = schema.fields.filter((field) => isFieldSet(rules, field));
  return used.flatMap((field) => {
    const isNested = field.fieldKind === "message" && field.message.typeName.startsWith("buf.validate.");
    return isNested ? rulesIn(field.message, valueIn(rules, field)).map((path) => [field, ...path]) : [[field]];
  });
}

function drop(rules: Message, [field, ...rest]: readonly DescField[]): void {
  if (rest.length === 0) clearField(rules, field!);
  else drop(valueIn(rules, field!), rest);
}

function valueIn(rules: Message, { localName, oneof }: DescField): Message {
  const fields = rules as unknown as Record<string, Message & { value: Message }>;
  return oneof === undefined ? fields[localName]! : fields[oneof.localName]!.value;
}

/** The type as it is when its file says something else of it. */
function changed(schema: DescMessage, change: (proto: DescriptorProto) => void): DescMessage {
  const files = new Map<string, FileDescriptorProto>();
  const collect = (file: DescFile): void => {
    file.dependencies.filter(({ proto }) => !files.has(proto.name)).forEach(collect);
    files.set(file.proto.name, file.proto);
  };
  collect(schema.file);
  const copy = clone(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files.values()] }));
  change(copy.file.at(-1)!.messageType.find(({ name }) => name === schema.proto.name)!);
  return createFileRegistry(copy).getMessage(schema.typeName)!;
}
