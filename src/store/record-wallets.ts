// Whose wallets a record is about: those of its own partition are looked up, one in another partition is named by the record itself.

import type { JournalRecord } from "../domain/journal.ts";
import type { WalletName } from "../domain/wallet.ts";

/** The payer's, or only, wallet and the receiver's. `walletOf` is asked for wallets of the record's own partition only. */
export function walletsOf({ walletId, receiver, apart }: JournalRecord, walletOf: (walletId: bigint) => WalletName): { readonly wallet: WalletName; readonly receiver: WalletName | undefined } {
  if (receiver === undefined) return { wallet: walletOf(walletId), receiver: undefined };
  if (apart === undefined) return { wallet: walletOf(walletId), receiver: walletOf(receiver.walletId) };
  const [hereId, otherId] = apart.side === "PAYER" ? [walletId, receiver.walletId] : [receiver.walletId, walletId];
  const here = walletOf(hereId);
  // Money is moved within a currency.
  const other = { walletId: otherId, currency: here.currency, ...apart.other };
  return apart.side === "PAYER" ? { wallet: here, receiver: other } : { wallet: other, receiver: here };
}
