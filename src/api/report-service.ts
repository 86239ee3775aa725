// ReportService: balances, now and then, counters as they are kept, statements, and whether the books are right.

import type { ServiceImpl } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { TotalsSchema, type GetWalletBalanceRequest, type ReportService, type Totals as TotalsMessage } from "../../gen/wallet/v1/report_service_pb.ts";
import { birthplaceOf } from "../domain/journal.ts";
import type { CurrencyTotals } from "../domain/ledger-state.ts";
import { activeHolds, type Total, type Totals } from "../domain/totals.ts";
import type { OperationFeed } from "../ledger/operation-feed.ts";
import type { Verifier } from "../ledger/verifier.ts";
import type { JournalPoint, Reads } from "../store/store.ts";
import { toBalance, toMoneys } from "./answers.ts";
import { invalidField } from "./errors.ts";
import { foundWallet } from "./found-wallet.ts";
import type { LedgerReads } from "./ledger-access.ts";
import { lastMsUntil } from "./points-in-time.ts";
import { filterOf } from "./requests.ts";
import { rejectionError } from "./sentences.ts";
import { nothing, statementOf } from "./statement.ts";
import { verificationMethods } from "./verification.ts";
import { watchOperations } from "./watch-operations.ts";

/** What only reports need of the ledger. */
export interface ReportAccess extends LedgerReads {
  readonly feed: OperationFeed;
  readonly verifier: Verifier;
}

/** Every method of the service. */
export function reportService(ledger: ReportAccess): ServiceImpl<typeof ReportService> {
  const { reads, feed, verifier } = ledger;
  return {
    ...verificationMethods(reads, verifier),

    async getWalletBalance(request) {
      const wallet = await foundWallet(ledger, request);
      const point = await pointOf(reads, request.asOf);
      const then = point === undefined ? wallet : ((await reads.walletAsOf(wallet.walletId, point)) ?? nothing);
      const { available, held, total } = toBalance(then, wallet.exponent);
      return { userId: wallet.userId, currency: wallet.currency, available, held, total, version: then.version };
    },

    getStatement: (request, context) => statementOf(ledger, request, context),

    async getHoldReport(request) {
      const totals = await reads.totals(filterOf(request));
      return {
        active: summed(totals, activeHolds),
        released: summed(totals, (each) => each.releases),
        reversed: summed(totals, (each) => each.reversals),
        captured: summed(totals, (each) => each.capturedHolds),
      };
    },

    async getWalletOperationReport(request) {
      const totals = await reads.totals(filterOf(request));
      return {
        adds: summed(totals, (each) => each.adds),
        holds: summed(totals, (each) => each.holds),
        releases: summed(totals, (each) => each.releases),
        reversals: summed(totals, (each) => each.reversals),
        captures: summed(totals, (each) => each.captures),
        withdrawals: summed(totals, (each) => each.withdrawals),
        transfersOut: summed(totals, (each) => each.transfersOut),
        transfersIn: summed(totals, (each) => each.transfersIn),
      };
    },

    watchOperations: (request, context) => watchOperations({ feed, reads }, request, context),
  };
}

/** Undefined for now. Throws INVALID_REQUEST for the future, and OPERATION_NOT_FOUND. */
async function pointOf(reads: Reads, asOf: GetWalletBalanceRequest["asOf"]): Promise<JournalPoint | undefined> {
  switch (asOf.case) {
    case "asOfTime": {
      const timeMs = lastMsUntil("as_of_time", asOf.value);
      if (timeMs > (await reads.nowMs())) throw invalidField("as_of_time", "is in the future; what will be then is not known");
      return { timeMs };
    }
    case "asOfOperationId": {
      const operationId = asOf.value;
      if ((await reads.operation(operationId)) === undefined) throw rejectionError({ reason: "OPERATION_NOT_FOUND", operationId }, false);
      return { sequence: birthplaceOf(operationId).sequence };
    }
    default:
      return undefined;
  }
}

/** One kind of counter over several wallets or currencies. */
function summed(totals: readonly CurrencyTotals[], pick: (totals: Totals) => Total): TotalsMessage {
  const counted = totals.map(({ currency, exponent, totals: each }) => ({ currency, exponent, ...pick(each) })).filter(({ count }) => count > 0n);
  return create(TotalsSchema, { count: counted.reduce((sum, { count }) => sum + count, 0n), amounts: toMoneys(counted) });
}
