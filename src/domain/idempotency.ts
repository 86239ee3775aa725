// Exactly once: how a caller's key is recognised, and how a repeated request is told from another one under the same key.

import { hash } from "node:crypto";
import type { RequestIdentity, WalletCommand } from "./command.ts";
import type { Decimal } from "./money.ts";
import type { Rejection } from "./rejection.ts";
import type { UserId } from "./wallet.ts";

/** Bytes of SHA-256 that are kept of a key and of a fingerprint: 128 bits, far beyond chance collisions, at half the space. */
export const keyHashBytes = 16;

/** What the ledger remembers of a request that carried a key. */
export interface RememberedKey extends RequestIdentity {
  /** When it was decided, on the ledger's clock. */
  readonly timeMs: number;
  /** The operation's place in the journal, or why there is none. */
  readonly outcome: { readonly sequence: bigint } | { readonly rejection: Rejection };
}

/** What a request with this key is recognised by: brought along, or worked out now. */
export function requestIdentity(command: WalletCommand, idempotencyKey: string): RequestIdentity {
  return command.identity ?? { keyHash: keyHash(command.userId, idempotencyKey), fingerprint: fingerprint(command) };
}

/** The hash alone under which its key is remembered. */
export function keyHashOf({ identity, userId }: WalletCommand, idempotencyKey: string): string {
  return identity?.keyHash ?? keyHash(userId, idempotencyKey);
}

/** The hash under which a user's key is remembered: SHA-256 of user id, a zero byte and the key, cut to 16 bytes, in hex. */
export function keyHash(userId: UserId, idempotencyKey: string): string {
  return shortHash(`${userId}\0${idempotencyKey}`);
}

/**
 * The hash by which a request is recognised: method and fields as sent, with amounts as values ("1.0" is "1.00") and an absent field told
 * from an empty one; the key itself and `validate_only` are left out. Fields go by name and absent ones not at all, so that a field which a later
 * version adds does not make strangers of the requests that are remembered.
 */
export function fingerprint(command: WalletCommand): string {
  let text = "";
  for (const { name, opening } of sentFieldsOf(command)) {
    const field = command[name];
    if (field !== undefined) text += `${text === "" ? "" : ","}${opening}${canonical(field)}]`;
  }
  return shortHash(`[${text}]`);
}

/** The hash by which an atomic batch is recognised: over its items' keys and fingerprints, in order. */
export function batchFingerprint(items: readonly WalletCommand[]): string {
  return shortHash(JSON.stringify(items.map((item) => [item.idempotencyKey, item.identity?.fingerprint ?? fingerprint(item)])));
}

const ignoredFields: ReadonlySet<string> = new Set(["idempotencyKey", "identity", "validateOnly"]);

/** A field that counts: `opening` is how its pair begins. */
interface SentField {
  readonly name: keyof WalletCommand;
  readonly opening: string;
}

/** By type of command: the fields that one of them had, and those of them that count, in the order of their names. Commands of a type are alike, and sorting takes longer than hashing. */
const fieldsByType = new Map<WalletCommand["type"], { readonly names: readonly string[]; readonly sent: readonly SentField[] }>();

function sentFieldsOf(command: WalletCommand): readonly SentField[] {
  const known = fieldsByType.get(command.type);
  if (known !== undefined && hasFields(command, known.names)) return known.sent;
  const names = Object.keys(command);
  const sent = names
    .filter((name) => !ignoredFields.has(name))
    .toSorted()
    .map((name) => ({ name: name as keyof WalletCommand, opening: `[${JSON.stringify(name)},` }));
  fieldsByType.set(command.type, { names, sent });
  return sent;
}

/** Whether these are the command's fields, in its own order. */
function hasFields(command: WalletCommand, names: readonly string[]): boolean {
  let count = 0;
  for (const name in command) if (name !== names[count++]) return false;
  return count === names.length;
}

/** Characters that JSON may have in another form. */
const escaped = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

/** JSON with one form for each value: objects as pairs in the order of their names, bigints as text. Written by hand, since this is done for every call. */
function canonical(value: unknown): string {
  if (typeof value === "bigint" || (typeof value === "string" && !escaped.test(value))) return `"${value}"`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isDecimal(value)) return `[["scale",${value.scale}],["unscaled","${value.unscaled}"]]`;
  const names = Object.keys(value);
  // Sorting nothing takes as long as hashing a request.
  if (names.length === 0) return "[]";
  return `[${names
    .toSorted()
    .map((name) => `[${JSON.stringify(name)},${canonical(value[name as keyof typeof value])}]`)
    .join(",")}]`;
}

/** The only object with a bigint in it that a command has. */
function isDecimal(value: object): value is Decimal {
  return "unscaled" in value && typeof value.unscaled === "bigint";
}

function shortHash(text: string): string {
  return hash("sha256", text, "hex").slice(0, 2 * keyHashBytes);
}
