// The wallet that a read means.

import { chooseWallet } from "../domain/choose-wallet.ts";
import type { Wallet } from "../domain/wallet.ts";
import type { LedgerReads } from "./ledger-access.ts";
import { walletOf } from "./requests.ts";
import { rejectionError } from "./sentences.ts";

/** The wallet as it is now. Throws WALLET_NOT_FOUND, UNKNOWN_CURRENCY, and CURRENCY_REQUIRED where the user has several and none is named. */
export async function foundWallet({ reads, rules }: LedgerReads, request: { userId: string; currency?: string | undefined }): Promise<Wallet> {
  const { userId, currency } = walletOf(request);
  const chosen = chooseWallet(await reads.wallets(userId, currency), { userId, currency }, rules.currencies);
  if ("rejection" in chosen) throw rejectionError(chosen.rejection, false);
  return chosen.wallet;
}
