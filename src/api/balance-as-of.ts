// What a wallet contained at an earlier point.

import type { GetWalletBalanceRequest } from "../../gen/wallet/v1/report_service_pb.ts";
import { beforeOpening, birthplaceOf, type WalletAfter } from "../domain/journal.ts";
import type { Wallet } from "../domain/wallet.ts";
import type { Reads } from "../store/store.ts";
import { invalidField } from "./errors.ts";
import type { LedgerReads } from "./ledger-access.ts";
import { lastMsUntil } from "./points-in-time.ts";
import { rejectionError } from "./sentences.ts";

type Contained = Pick<WalletAfter, "availableMinor" | "heldMinor" | "version">;

/** The wallet as of this point; now where none is given. Throws INVALID_REQUEST for a time that is yet to come, OPERATION_NOT_FOUND. */
export async function balanceAsOf({ reads, rules }: LedgerReads, wallet: Wallet, asOf: GetWalletBalanceRequest["asOf"]): Promise<Contained> {
  switch (asOf.case) {
    case "asOfTime": {
      const timeMs = lastMsUntil("as_of_time", asOf.value);
      if (timeMs > (await reads.nowMs())) throw invalidField("as_of_time", "is in the future; what will be then is not known");
      return rules.autoRelease ? withoutOverdue(reads, wallet, timeMs) : ((await reads.walletAsOf(wallet.walletId, { timeMs })) ?? beforeOpening);
    }
    case "asOfOperationId": {
      const operationId = asOf.value;
      if ((await reads.operation(operationId)) === undefined) throw rejectionError({ reason: "OPERATION_NOT_FOUND", operationId }, false);
      return (await reads.walletAsOf(wallet.walletId, { sequence: birthplaceOf(operationId).sequence })) ?? beforeOpening;
    }
    default:
      return wallet;
  }
}

/**
 * With automatic release a balance never counts an overdue hold, an earlier one no hold that was overdue then. Its release may have come a little later, but
 * nothing else of the wallet's before it: the releases that follow directly are looked through.
 */
async function withoutOverdue(reads: Reads, { walletId, headSequence }: Wallet, timeMs: number): Promise<Contained> {
  const { upTo, closing } = await reads.period(walletId, { startTimeMs: undefined, endTimeMs: timeMs + 1 });
  if (closing === undefined) return beforeOpening;
  let then = closing;
  for (let place = upTo; place < headSequence; ) {
    for (const { record } of await reads.operationsForward(walletId, { after: place, upTo: headSequence })) {
      const isDue = record.kind === "RELEASE" && record.hold!.eligibleTimeMs <= timeMs;
      if (!isDue) return then;
      then = record.after;
      place = record.sequence;
    }
  }
  return then;
}
