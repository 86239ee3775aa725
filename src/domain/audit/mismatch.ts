// What does not fit: one sentence in three parts, and the words in which wallets, money, times and hashes are told.

import { formatMinor } from "../money.ts";
import type { WalletIdentity } from "../wallet.ts";

/** One thing that is not as the journal says. */
export interface Mismatch {
  /** What is wrong: a wallet's balance, a hold's status, a counter, a key or a place in the journal. */
  readonly subject: string;
  /** What it should be. */
  readonly expected: string;
  /** What it is. */
  readonly actual: string;
}

/** More are counted, not kept: enough to see what happened, and the answer fits every client's limit. */
const mismatchesMax = 1000;

/** Characters of each part. A row that somebody has altered may contain anything of any length. */
const partMaxChars = 300;

/** Keeps the first mismatches and counts all of them. */
export class Mismatches {
  readonly #found: { readonly kept: Mismatch[]; count: number };
  readonly #place: string;

  constructor(found = { kept: [] as Mismatch[], count: 0 }, place = "") {
    this.#found = found;
    this.#place = place;
  }

  get kept(): readonly Mismatch[] {
    return this.#found.kept;
  }

  /** How many there are, those included that are not kept. */
  get count(): number {
    return this.#found.count;
  }

  /** The same list, for what is found there: each subject says so. */
  in(place: string): Mismatches {
    return new Mismatches(this.#found, `${place}: `);
  }

  add({ subject, expected, actual }: Mismatch): void {
    this.#found.count++;
    if (this.kept.length < mismatchesMax) this.#found.kept.push({ subject: clipped(this.#place + subject), expected: clipped(expected), actual: clipped(actual) });
  }

  /** Adds a mismatch where the two differ. */
  compare(subject: string, expected: string, actual: string): void {
    if (expected !== actual) this.add({ subject, expected, actual });
  }
}

function clipped(text: string): string {
  return text.length <= partMaxChars ? text : `${text.slice(0, partMaxChars)}…`;
}

/** "wallet 17 (user alice, USD)". */
export function walletText({ walletId, userId, currency }: Pick<WalletIdentity, "walletId"> & { readonly userId: string; readonly currency: string }): string {
  return `wallet ${walletId} (user ${userId}, ${currency})`;
}

/** An amount in the currency's own unit, without its name; undefined is no amount. */
export function moneyText(minor: bigint | undefined, exponent: number): string {
  return minor === undefined ? "none" : formatMinor(minor, exponent);
}

/** The last millisecond that a Date can say. */
const dateMaxMs = 8.64e15;

/** A time of the ledger's clock in ISO 8601; as milliseconds where no calendar reaches it. */
export function timeText(timeMs: number | bigint | null | undefined): string {
  if (timeMs === undefined || timeMs === null) return "none";
  const ms = Number(timeMs);
  return Math.abs(ms) <= dateMaxMs ? new Date(ms).toISOString() : `${timeMs} ms`;
}

/** Bytes such as hashes, in hex, or what is found in its place: somebody who alters a row may leave anything there. */
export function bytesText(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString("hex") : `no bytes: ${String(bytes)}`;
}
