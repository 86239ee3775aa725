// Finds the file of a name, symbol or extension among the descriptors of the services, and gives it with all that it needs, as protobuf bytes.

import { toBinary } from "@bufbuild/protobuf";
import type { DescExtension, DescFile, DescService } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export interface DescriptorIndex {
  readonly serviceNames: readonly string[];
  fileByName(name: string): DescFile | undefined;
  /** The file that declares a message, enum, enum value, extension, field, service or method of this full name. */
  fileOfSymbol(name: string): DescFile | undefined;
  fileOfExtension(extendee: string, fieldNumber: number): DescFile | undefined;
  /** The field numbers of a message's extensions; undefined where there is no such message. */
  extensionNumbers(extendee: string): readonly number[] | undefined;
  /** The serialized FileDescriptorProto of the file and of everything it imports, directly or not; undefined for no file. */
  withDependencies(file: DescFile | undefined): readonly Uint8Array[] | undefined;
}

/** Indexes the files of these services and all that they import, once. */
export function descriptorIndex(services: readonly DescService[]): DescriptorIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, DescExtension[]>();
  for (const file of closure(services.map((service) => service.file))) {
    files.set(fileName(file), file);
    for (const type of nestedTypes(file)) {
      symbols.set(type.typeName, file);
      for (const member of memberNames(type)) symbols.set(member, file);
      if (type.kind === "message") extensions.set(type.typeName, extensions.get(type.typeName) ?? []);
      if (type.kind === "extension") extensions.set(type.extendee.typeName, [...(extensions.get(type.extendee.typeName) ?? []), type]);
    }
  }
  const bytes = new Map<DescFile, Uint8Array>();
  const bytesOf = (file: DescFile): Uint8Array => {
    const known = bytes.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    bytes.set(file, known);
    return known;
  };
  return {
    serviceNames: services.map((service) => service.typeName),
    fileByName: (name) => files.get(name),
    fileOfSymbol: (name) => symbols.get(name.replace(/^\./, "")),
    fileOfExtension: (extendee, fieldNumber) => extensions.get(extendee)?.find((extension) => extension.number === fieldNumber)?.file,
    extensionNumbers: (extendee) => extensions.get(extendee)?.map((extension) => extension.number),
    withDependencies: (file) => (file === undefined ? undefined : closure([file]).map(bytesOf)),
  };
}

/** protobuf-es leaves the suffix away. */
function fileName(file: DescFile): string {
  return `${file.name}.proto`;
}

/** The files and everything they import, each once, the given ones first. */
function closure(roots: readonly DescFile[]): DescFile[] {
  const seen = new Set<DescFile>(roots);
  // A set's iteration comes to what is added on the way.
  for (const file of seen) for (const dependency of file.dependencies) seen.add(dependency);
  return [...seen];
}

/** What a type declares besides itself, by full name. */
function memberNames(type: ReturnType<typeof nestedTypes> extends Iterable<infer Type> ? Type : never): string[] {
  if (type.kind === "service") return type.methods.map((method) => `${type.typeName}.${method.name}`);
  if (type.kind === "message") return [...type.fields, ...type.oneofs].map((member) => `${type.typeName}.${member.name}`);
  if (type.kind === "extension") return [];
  // Enum values are siblings of their enum, as in C++ (descriptor.proto).
  const scope = type.typeName.slice(0, type.typeName.lastIndexOf(".") + 1);
  return type.values.map((value) => `${scope}${value.name}`);
}
