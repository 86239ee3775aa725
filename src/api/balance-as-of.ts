// What a wallet contained at an earlier point.

import type { GetWalletBalanceRequest } from "../../gen/wallet/v1/report_service_pb.ts";
import { beforeOpening, type WalletAfter } from "../domain/journal.ts";
import { partitionOf } from "../domain/partitions.ts";
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
      if (timeMs > (await reads.nowMs(wallet.userId))) throw invalidField("as_of_time", "is in the future; what will be then is not known");
      return rules.autoRelease ? withoutOverdue(reads, wallet, timeMs) : ((await reads.walletAsOf(wallet, { timeMs })) ?? beforeOpening);
    }
    case "asOfOperationId": {
      const operationId = asOf.value;
      const operation = await reads.operation(operationId);
      if (operation === undefined) throw rejectionError({ reason: "OPERATION_NOT_FOUND", operationId }, false);
      const { partition, sequence, timeMs, receiver } = operation.record;
      // What it left in its receiver's wallet it says itself, wherever that is.
      if (receiver?.walletId === wallet.walletId) return receiver.after;
      // Between partitions there is no order but that of time.
      const point = partition === partitionOf(wallet.userId, reads.partitionCount) ? { sequence } : { timeMs };
      return (await reads.walletAsOf(wallet, point)) ?? beforeOpening;
    }
    default:
      return wallet;
  }
}

/**
 * With automatic release a balance never counts an overdue hold, an earlier one no hold that was overdue then. Its release may have come a little later, but
 * nothing else of the wallet's before it: the releases that follow directly are looked through.
 */
async function withoutOverdue(reads: Reads, wallet: Wallet, timeMs: number): Promise<Contained> {
  const { upTo, closing } = await reads.period(wallet, { startTimeMs: undefined, endTimeMs: timeMs + 1 });
  if (closing === undefined) return beforeOpening;
  let then = closing;
  for (let place = upTo; place < wallet.headSequence; ) {
    for (const { record } of await reads.operationsForward(wallet, { after: place, upTo: wallet.headSequence })) {
      const isDue = record.kind === "RELEASE" && record.hold!.eligibleTimeMs <= timeMs;
      if (!isDue) return then;
      then = record.after;
      place = record.sequence;
    }
  }
  return then;
}
