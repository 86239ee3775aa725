// How the changing part of wallets' rows is kept in one value, one wallet after another.
//
// Of each wallet: how many bytes its counters have (2 bytes) and its state's number (1); then its id, available money, held money, version, limit (-1 where there is
// none), last operation's place, newest hold and time of change, 8 bytes each; then the counters. All numbers are little-endian, and no bit is without a meaning.

import type { Selectable } from "kysely";
import { walletStateNumbers, type Wallet } from "../../../domain/wallet.ts";
import { encodeTotals } from "../../totals-encoding.ts";
import type { WalletTable } from "../../tables.ts";

/** The columns of a wallet's row that operations change. */
export const changingWalletColumns = ["available_minor", "held_minor", "state", "version", "balance_max_minor", "head_sequence", "last_hold_id", "update_time_ms", "totals"] as const;

/** A wallet's row without what never changes. */
export type StateColumns = Pick<Selectable<WalletTable>, "wallet_id" | (typeof changingWalletColumns)[number]>;

/** Where in a state each part of it begins. */
const offsets = { countersLength: 0, state: 2, walletId: 3, available: 11, held: 19, version: 27, limit: 35, headSequence: 43, lastHoldId: 51, updateTime: 59, counters: 67 } as const;
const noLimit = -1n;

/** Encodes what these wallets are. */
export function encodeStates(wallets: readonly Wallet[]): Uint8Array {
  const counters = wallets.map(({ totals }) => encodeTotals(totals));
  const bytes = new Uint8Array(counters.reduce((length, each) => length + offsets.counters + each.length, 0));
  let at = 0;
  for (let index = 0; index < wallets.length; index++) at = encodeState(bytes, at, wallets[index]!, counters[index]!);
  return bytes;
}

/** Answers where the next one begins. What the checks of a row would refuse is a RangeError now, and not when the row learns of it. */
function encodeState(bytes: Uint8Array, at: number, wallet: Wallet, counters: Uint8Array): number {
  if (wallet.availableMinor < 0n || wallet.heldMinor < 0n || (wallet.balanceMaxMinor ?? 0n) < 0n) throw new RangeError("a wallet's money is not negative");
  if (counters.length > 0xffff) throw new RangeError("a wallet's counters are too long");
  const view = new DataView(bytes.buffer, at);
  view.setUint16(offsets.countersLength, counters.length, true);
  view.setUint8(offsets.state, walletStateNumbers[wallet.state]);
  setNumber(view, offsets.walletId, wallet.walletId);
  setNumber(view, offsets.available, wallet.availableMinor);
  setNumber(view, offsets.held, wallet.heldMinor);
  setNumber(view, offsets.version, wallet.version);
  setNumber(view, offsets.limit, wallet.balanceMaxMinor ?? noLimit);
  setNumber(view, offsets.headSequence, wallet.headSequence);
  setNumber(view, offsets.lastHoldId, wallet.lastHoldId);
  setNumber(view, offsets.updateTime, BigInt(wallet.updateTimeMs));
  bytes.set(counters, at + offsets.counters);
  return at + offsets.counters + counters.length;
}

function setNumber(view: DataView, offset: number, number: bigint): void {
  // Only the lowest bits would be written, without a word.
  if (BigInt.asIntN(64, number) !== number) throw new RangeError("a number of a wallet's has 64 bits");
  view.setBigInt64(offset, number, true);
}

/** How many states these bytes are. Throws a RangeError where the lengths do not add up to the bytes; what the states say is not looked at. */
export function countStates(bytes: Uint8Array): number {
  const states = new EncodedStates(bytes);
  let [count, at] = [0, 0];
  for (; at < bytes.length; count++) at = states.endOf(at);
  if (at !== bytes.length) throw new RangeError("a wallet's state breaks off");
  return count;
}

/** States read where they lie: each place is one where a state begins. */
export class EncodedStates {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  walletIdAt(at: number): bigint {
    return this.#view.getBigInt64(at + offsets.walletId, true);
  }

  versionAt(at: number): bigint {
    return this.#view.getBigInt64(at + offsets.version, true);
  }

  /** The place of the wallet's last operation in the journal. */
  headSequenceAt(at: number): bigint {
    return this.#view.getBigInt64(at + offsets.headSequence, true);
  }

  stateAt(at: number): StateColumns {
    const number = (offset: number): bigint => this.#view.getBigInt64(at + offset, true);
    const limit = number(offsets.limit);
    return {
      wallet_id: number(offsets.walletId),
      available_minor: number(offsets.available),
      held_minor: number(offsets.held),
      state: BigInt(this.#view.getUint8(at + offsets.state)),
      version: number(offsets.version),
      balance_max_minor: limit === noLimit ? null : limit,
      head_sequence: number(offsets.headSequence),
      last_hold_id: number(offsets.lastHoldId),
      update_time_ms: number(offsets.updateTime),
      totals: this.bytes.subarray(at + offsets.counters, this.endOf(at)),
    };
  }

  /** Where the next one begins. Throws a RangeError where the bytes end before that is said. */
  endOf(at: number): number {
    return at + offsets.counters + this.#view.getUint16(at + offsets.countersLength, true);
  }
}
