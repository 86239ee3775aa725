// Lengthens an active hold's period.

import type { ExtendHold } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import { notActive, ownHold } from "./own-hold.ts";

/** Rejections: those of finding the hold, HOLD_NOT_ACTIVE, HOLD_PERIOD_SHORTENED (also where it would stay the same). */
export function decideExtendHold(state: LedgerState, command: ExtendHold): Decision {
  const found = ownHold(state, command);
  if ("rejection" in found) return found;
  const { hold, wallet } = found;
  const over = notActive(hold);
  if (over !== undefined) return rejected(over);
  const holdPeriodMs = hold.eligibleTimeMs - hold.createTimeMs;
  if (command.holdPeriodMs <= holdPeriodMs) {
    return rejected({ reason: "HOLD_PERIOD_SHORTENED", holdId: hold.holdId, holdPeriodMs, requestedMs: command.holdPeriodMs });
  }

  // From here the extension succeeds.
  return { effect: { kind: "EXTEND", wallet, hold: { ...hold, eligibleTimeMs: hold.createTimeMs + command.holdPeriodMs }, amountMinor: 0n } };
}
