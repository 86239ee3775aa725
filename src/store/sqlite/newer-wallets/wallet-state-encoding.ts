// How the changing part of wallets' rows is kept in one value, wallet behind wallet.
//
// Of each wallet: how many bytes its counters have (2 bytes) and its state's number (1); then its id, available money, held money, version, limit (-1 where there is
// none), last operation's place, newest hold and time of change, 8 bytes each; then the counters. All numbers are little-endian, and no bit is without a meaning.

import type { Selectable } from "kysely";
import { walletStateNumbers, type Wallet } from "../../../domain/wallet.ts";
import { encodeTotals } from "../../totals-encoding.ts";
import type { WalletTable } from "../../tables.ts";

/** The columns of a wallet's row that operations change. */
export const changingColumns = ["available_minor", "held_minor", "state", "version", "balance_max_minor", "head_sequence", "last_hold_id", "update_time_ms", "totals"] as const;

/** A wallet's row without what never changes. */
export type StateColumns = Pick<Selectable<WalletTable>, "wallet_id" | (typeof changingColumns)[number]>;

/** Where each part of a state begins. */
const places = { countersLength: 0, state: 2, walletId: 3, available: 11, held: 19, version: 27, limit: 35, headSequence: 43, lastHoldId: 51, updateTime: 59, counters: 67 } as const;
const noLimit = -1n;

/** Encodes what these wallets are. */
export function encodeStates(wallets: readonly Wallet[]): Uint8Array {
  const counters = wallets.map(({ totals }) => encodeTotals(totals));
  const bytes = new Uint8Array(counters.reduce((length, each) => length + places.counters + each.length, 0));
  let at = 0;
  for (let index = 0; index < wallets.length; index++) at = encodeState(bytes, at, wallets[index]!, counters[index]!);
  return bytes;
}

/** Answers where the next one begins. What the checks of a row would refuse is a RangeError now, and not when the row learns of it. */
function encodeState(bytes: Uint8Array, at: number, wallet: Wallet, counters: Uint8Array): number {
  const limit = wallet.balanceMaxMinor ?? noLimit;
  if (wallet.availableMinor < 0n || wallet.heldMinor < 0n || limit < noLimit) throw new RangeError("a wallet's money is not negative");
  if (counters.length > 0xffff) throw new RangeError("a wallet's counters are too long");
  const view = new DataView(bytes.buffer, at);
  view.setUint16(places.countersLength, counters.length, true);
  view.setUint8(places.state, walletStateNumbers[wallet.state]);
  setNumber(view, places.walletId, wallet.walletId);
  setNumber(view, places.available, wallet.availableMinor);
  setNumber(view, places.held, wallet.heldMinor);
  setNumber(view, places.version, wallet.version);
  setNumber(view, places.limit, limit);
  setNumber(view, places.headSequence, wallet.headSequence);
  setNumber(view, places.lastHoldId, wallet.lastHoldId);
  setNumber(view, places.updateTime, BigInt(wallet.updateTimeMs));
  bytes.set(counters, at + places.counters);
  return at + places.counters + counters.length;
}

function setNumber(view: DataView, place: number, number: bigint): void {
  // Only the lowest bits would be written, without a word.
  if (BigInt.asIntN(64, number) !== number) throw new RangeError("a number of a wallet's has 64 bits");
  view.setBigInt64(place, number, true);
}

/** Wallets' states, read where they lie. */
export class EncodedStates {
  /** How many there are. */
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** Throws a RangeError on bytes that `encodeStates` does not make. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let [count, at] = [0, 0];
    for (; at < bytes.length; count++) at = this.#endOf(at);
    if (at !== bytes.length) throw new RangeError("a wallet's state breaks off");
    this.count = count;
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** Calls this with each wallet and where its state lies. */
  forEach(visit: (walletId: bigint, at: number) => void): void {
    for (let at = 0; at < this.#bytes.length; at = this.#endOf(at)) visit(this.#view.getBigInt64(at + places.walletId, true), at);
  }

  versionAt(at: number): bigint {
    return this.#view.getBigInt64(at + places.version, true);
  }

  stateAt(at: number): StateColumns {
    const number = (place: number): bigint => this.#view.getBigInt64(at + place, true);
    const limit = number(places.limit);
    return {
      wallet_id: number(places.walletId),
      available_minor: number(places.available),
      held_minor: number(places.held),
      state: BigInt(this.#view.getUint8(at + places.state)),
      version: number(places.version),
      balance_max_minor: limit === noLimit ? null : limit,
      head_sequence: number(places.headSequence),
      last_hold_id: number(places.lastHoldId),
      update_time_ms: number(places.updateTime),
      totals: this.#bytes.subarray(at + places.counters, this.#endOf(at)),
    };
  }

  /** Throws a RangeError where not even the length of the counters is there. */
  #endOf(at: number): number {
    return at + places.counters + this.#view.getUint16(at + places.countersLength, true);
  }
}
