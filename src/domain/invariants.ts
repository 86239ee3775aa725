// What must be true of every wallet and hold, asserted where they are made and where they are read: a breach is a defect, never a rejection.

import assert from "node:assert/strict";
import type { Hold } from "./hold.ts";
import { minorMax } from "./money.ts";
import { totalMinor, type Wallet } from "./wallet.ts";

/** Balances are never negative, their total fits 64 bits, and a closed wallet is empty. */
export function assertSoundWallet(wallet: Wallet): Wallet {
  assert(wallet.availableMinor >= 0n, "a wallet's available money is never negative");
  assert(wallet.heldMinor >= 0n, "a wallet's held money is never negative");
  assert(totalMinor(wallet) <= minorMax, "a wallet's total fits 64 bits");
  assert(wallet.state !== "CLOSED" || totalMinor(wallet) === 0n, "a closed wallet is empty");
  return wallet;
}

/** A hold is for more than nothing, never captured beyond its amount, and resolved exactly when it has a time of resolution. */
export function assertSoundHold(hold: Hold): Hold {
  assert(hold.amountMinor > 0n, "a hold is for more than nothing");
  assert(hold.capturedMinor >= 0n && hold.capturedMinor <= hold.amountMinor, "a hold is never captured beyond its amount");
  assert((hold.status === "ACTIVE") === (hold.resolveTimeMs === undefined), "a hold has a time of resolution exactly when it is resolved");
  return hold;
}
