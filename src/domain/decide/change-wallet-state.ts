// Freezes, unfreezes and closes a wallet.

import { chooseWallet } from "../choose-wallet.ts";
import type { ChangeWalletState } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { fact, totalMinor } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";
import { mayNotChange, mayNotSpend } from "./wallet-state.ts";

/**
 * Rejections: those of finding the wallet, VERSION_MISMATCH, WALLET_CLOSED; of freezing WALLET_FROZEN, of closing WALLET_NOT_EMPTY.
 * Unfreezing a wallet that is not frozen is granted and changes nothing but its version; a frozen one may be closed.
 */
export function decideChangeWalletState(state: LedgerState, command: ChangeWalletState, rules: LedgerRules): Decision {
  const chosen = chooseWallet(state.walletsOf(command.userId), command, rules.currencies);
  if ("rejection" in chosen) return chosen;
  const { wallet } = chosen;
  const forbidden = checkedVersion(command, wallet.version) ?? (command.type === "freezeWallet" ? mayNotSpend(wallet) : mayNotChange(wallet));
  if (forbidden !== undefined) return rejected(forbidden);
  if (command.type === "closeWallet" && totalMinor(wallet) > 0n) {
    return rejected({ reason: "WALLET_NOT_EMPTY", available: fact(wallet, wallet.availableMinor), held: fact(wallet, wallet.heldMinor) });
  }

  // From here the change succeeds.
  const { kind, walletState } = changes[command.type];
  return { effect: { kind, wallet: { ...wallet, state: walletState }, amountMinor: 0n } };
}

const changes = {
  freezeWallet: { kind: "FREEZE", walletState: "FROZEN" },
  unfreezeWallet: { kind: "UNFREEZE", walletState: "ACTIVE" },
  closeWallet: { kind: "CLOSE", walletState: "CLOSED" },
} as const;
