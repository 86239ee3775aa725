// Requests as tests write them, amounts as text, and their way into the domain's commands.

import type { Command } from "../../src/domain/command.ts";
import { parseDecimal, type Decimal } from "../../src/domain/money.ts";
import type { CurrencyCode, UserId } from "../../src/domain/wallet.ts";

/** What every request about one wallet may carry. What is absent or undefined was not sent. */
export interface Marks {
  readonly user: string;
  readonly key?: string | undefined;
  readonly reference?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly expectedVersion?: bigint | undefined;
  readonly validateOnly?: boolean | undefined;
}

export type AskedOfWallet =
  | (Marks & { readonly type: "init"; readonly currency: string; readonly balanceMax?: string | undefined })
  | (Marks & { readonly type: "add"; readonly currency?: string | undefined; readonly amount: string; readonly related?: bigint | undefined })
  | (Marks & { readonly type: "hold"; readonly currency?: string | undefined; readonly amount: string; readonly periodMs?: number | undefined })
  | (Marks & { readonly type: "reverse"; readonly holdId: bigint })
  | (Marks & { readonly type: "capture"; readonly holdId: bigint; readonly amount: string; readonly to?: string | undefined; readonly final?: boolean | undefined })
  | (Marks & { readonly type: "extend"; readonly holdId: bigint; readonly periodMs: number })
  | (Marks & { readonly type: "withdraw"; readonly currency?: string | undefined; readonly amount: string })
  | (Marks & { readonly type: "transfer"; readonly currency?: string | undefined; readonly amount: string; readonly to: string })
  | (Marks & { readonly type: "freeze" | "unfreeze" | "close"; readonly currency?: string | undefined })
  | (Marks & { readonly type: "limit"; readonly currency?: string | undefined; readonly balanceMax?: string | undefined });

export interface AskedRelease {
  readonly type: "release";
  readonly user?: string | undefined;
  readonly currency?: string | undefined;
  readonly validateOnly?: boolean | undefined;
}

export type Asked = AskedOfWallet | AskedRelease;

/** The command that the edge would make of the request. Throws where an amount is no decimal. */
export function toCommand(asked: Asked): Command {
  if (asked.type === "release") {
    return { type: "releaseHolds", userId: asked.user as UserId | undefined, currency: code(asked.currency), validateOnly: asked.validateOnly ?? false };
  }
  const envelope = {
    userId: asked.user as UserId,
    idempotencyKey: asked.key,
    reference: asked.reference ?? "",
    metadata: asked.metadata ?? {},
    expectedVersion: asked.expectedVersion,
    validateOnly: asked.validateOnly ?? false,
  };
  switch (asked.type) {
    case "init":
      return { ...envelope, type: "initWallet", currency: code(asked.currency)!, balanceMax: asked.balanceMax === undefined ? undefined : decimal(asked.balanceMax) };
    case "add":
      return { ...envelope, type: "addMoney", currency: code(asked.currency), amount: decimal(asked.amount), relatedOperationId: asked.related };
    case "hold":
      return { ...envelope, type: "holdMoney", currency: code(asked.currency), amount: decimal(asked.amount), holdPeriodMs: asked.periodMs };
    case "reverse":
      return { ...envelope, type: "reverseHold", holdId: asked.holdId };
    case "capture": {
      const { holdId, amount, to, final = false } = asked;
      return { ...envelope, type: "captureHold", holdId, amount: decimal(amount), toUserId: to as UserId | undefined, isFinal: final };
    }
    case "extend":
      return { ...envelope, type: "extendHold", holdId: asked.holdId, holdPeriodMs: asked.periodMs };
    case "withdraw":
      return { ...envelope, type: "withdrawMoney", currency: code(asked.currency), amount: decimal(asked.amount) };
    case "transfer":
      return { ...envelope, type: "transferMoney", currency: code(asked.currency), amount: decimal(asked.amount), toUserId: asked.to as UserId };
    case "freeze":
    case "unfreeze":
    case "close":
      return { ...envelope, type: stateCommands[asked.type], currency: code(asked.currency) };
    case "limit":
      return { ...envelope, type: "setWalletLimits", currency: code(asked.currency), balanceMax: asked.balanceMax === undefined ? undefined : decimal(asked.balanceMax) };
    default:
      return asked satisfies never;
  }
}

const stateCommands = { freeze: "freezeWallet", unfreeze: "unfreezeWallet", close: "closeWallet" } as const;

function code(currency: string | undefined): CurrencyCode | undefined {
  return currency as CurrencyCode | undefined;
}

function decimal(text: string): Decimal {
  const parsed = parseDecimal(text);
  if (parsed === undefined) throw new Error(`${text} is no decimal`);
  return parsed;
}
