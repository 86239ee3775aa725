// Opens an empty wallet.

import { amountIn } from "../amount.ts";
import type { InitWallet } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { opened } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";

/** Rejections: WALLET_EXISTS, UNKNOWN_CURRENCY, VERSION_MISMATCH (a wallet that is not there has version 0), those of `balance_max` as an amount. */
export function decideInitWallet(state: LedgerState, command: InitWallet, rules: LedgerRules): Decision {
  const { userId, currency } = command;
  if (state.walletsOf(userId).some((wallet) => wallet.currency === currency)) return rejected({ reason: "WALLET_EXISTS", userId, currency });
  const exponent = rules.currencies.exponentOf(currency);
  if (exponent === undefined) return rejected({ reason: "UNKNOWN_CURRENCY", currency });
  const mismatch = checkedVersion(command, 0n);
  if (mismatch !== undefined) return rejected(mismatch);
  let balanceMaxMinor: bigint | undefined;
  if (command.balanceMax !== undefined) {
    const limit = amountIn({ currency, exponent }, command.balanceMax, "balance_max");
    if ("rejection" in limit) return limit;
    balanceMaxMinor = limit.minor;
  }

  // From here the opening succeeds.
  const identity = { walletId: state.nextOperationId(userId), userId, currency, exponent, createTimeMs: state.nowMs };
  return { effect: { kind: "INIT", wallet: opened(identity, balanceMaxMinor), amountMinor: 0n } };
}
