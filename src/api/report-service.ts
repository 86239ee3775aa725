// ReportService: balances, now and then, counters as they are kept, statements, and whether the books are right.

import type { ServiceImpl } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { TotalsSchema, type ReportService, type Totals as TotalsMessage } from "../../gen/wallet/v1/report_service_pb.ts";
import type { CurrencyTotals } from "../domain/loaded-state.ts";
import { activeHolds, type Total, type Totals } from "../domain/totals.ts";
import { toBalance, toMoneys } from "./answers.ts";
import { balanceAsOf } from "./balance-as-of.ts";
import { foundWallet } from "./found-wallet.ts";
import type { ReportAccess } from "./ledger-access.ts";
import { filterOf } from "./requests.ts";
import { statementOf } from "./statement.ts";
import { verificationMethods } from "./verification.ts";
import { watchOperations } from "./watch-operations.ts";

/** Every method of the service. */
export function reportService(ledger: ReportAccess): ServiceImpl<typeof ReportService> {
  const { reads } = ledger;
  return {
    ...verificationMethods(ledger),

    async getWalletBalance(request) {
      const wallet = await foundWallet(ledger, request);
      const then = await balanceAsOf(ledger, wallet, request.asOf);
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

    watchOperations: (request, context) => watchOperations(ledger, request, context),
  };
}

/** One kind of counter over several wallets or currencies. */
function summed(totals: readonly CurrencyTotals[], pick: (totals: Totals) => Total): TotalsMessage {
  const counted = totals.map(({ currency, exponent, totals: each }) => ({ currency, exponent, ...pick(each) })).filter(({ count }) => count > 0n);
  return create(TotalsSchema, { count: counted.reduce((sum, { count }) => sum + count, 0n), amounts: toMoneys(counted) });
}
