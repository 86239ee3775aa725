// Exactly once: how a caller's key is recognised, and how a repeated request is told from another one under the same key.

import { hash } from "node:crypto";
import type { WalletCommand } from "./command.ts";
import type { Decimal } from "./money.ts";
import type { Rejection } from "./rejection.ts";
import type { UserId } from "./wallet.ts";

/** Bytes of SHA-256 that are kept of a key and of a fingerprint: 128 bits, far beyond chance collisions, at half the space. */
export const keyHashBytes = 16;

/** What the ledger remembers of a request that carried a key. */
export interface RememberedKey {
  /** Hash of user and key, 32 hex digits. */
  readonly keyHash: string;
  /** Hash of the request, 32 hex digits. */
  readonly fingerprint: string;
  /** When it was decided, on the ledger's clock. */
  readonly timeMs: number;
  /** The operation's place in the journal, or why there is none. */
  readonly outcome: { readonly sequence: bigint } | { readonly rejection: Rejection };
}

/** The hash under which a user's key is remembered: SHA-256 of user id, a zero byte and the key, cut to 16 bytes, in hex. */
export function keyHash(userId: UserId, idempotencyKey: string): string {
  return shortHash(`${userId}\0${idempotencyKey}`);
}

/**
 * The hash by which a request is recognised: method and fields as sent, with amounts as values ("1.0" is "1.00") and an absent field told
 * from an empty one; the key itself and `validate_only` are left out.
 */
export function fingerprint(command: WalletCommand): string {
  const metadata = Object.entries(command.metadata).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const common = [command.type, command.userId, command.reference, metadata, command.expectedVersion?.toString() ?? null];
  return shortHash(JSON.stringify([...common, ...ownFields(command)]));
}

function ownFields(command: WalletCommand): readonly (string | number | null)[] {
  switch (command.type) {
    case "initWallet":
      return [command.currency, value(command.balanceMax)];
    case "addMoney":
      return [command.currency ?? null, value(command.amount), command.relatedOperationId?.toString() ?? null];
    case "holdMoney":
      return [command.currency ?? null, value(command.amount), command.holdPeriodMs ?? null];
    case "reverseHold":
      return [command.holdId.toString()];
    default:
      return command satisfies never;
  }
}

function value(decimal: Decimal | undefined): string | null {
  return decimal === undefined ? null : `${decimal.unscaled}e-${decimal.scale}`;
}

function shortHash(text: string): string {
  return hash("sha256", text, "hex").slice(0, 2 * keyHashBytes);
}
