// ReportService: balances and counters as they are kept.

import type { ServiceImpl } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { TotalsSchema, type ReportService, type Totals as TotalsMessage } from "../../gen/wallet/v1/report_service_pb.ts";
import { chooseWallet } from "../domain/choose-wallet.ts";
import type { CurrencyTotals } from "../domain/ledger-state.ts";
import { activeHolds, type Total, type Totals } from "../domain/totals.ts";
import type { OperationFeed } from "../ledger/operation-feed.ts";
import { toBalance, toMoneys } from "./answers.ts";
import { invalidField } from "./errors.ts";
import { filterOf, walletOf } from "./requests.ts";
import { rejectionError } from "./sentences.ts";
import type { LedgerAccess } from "./wallet-service.ts";
import { watchOperations } from "./watch-operations.ts";

/** The methods that this version serves; the router answers UNIMPLEMENTED for the rest. */
export function reportService({ reads, rules, feed }: Omit<LedgerAccess, "queue"> & { readonly feed: OperationFeed }): Partial<ServiceImpl<typeof ReportService>> {
  return {
    async getWalletBalance(request) {
      if (request.asOf.case !== undefined) throw invalidField(fieldOf[request.asOf.case], "is not served by this version; leave it out for the balance now");
      const { userId, currency } = walletOf(request);
      const chosen = chooseWallet(await reads.wallets(userId, currency), { userId, currency }, rules.currencies);
      if ("rejection" in chosen) throw rejectionError(chosen.rejection, false);
      const { wallet } = chosen;
      const { available, held, total } = toBalance(wallet, wallet.exponent);
      return { userId: wallet.userId, currency: wallet.currency, available, held, total, version: wallet.version };
    },

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

const fieldOf = { asOfTime: "as_of_time", asOfOperationId: "as_of_operation_id" } as const;

/** One kind of counter over several wallets or currencies. */
function summed(totals: readonly CurrencyTotals[], pick: (totals: Totals) => Total): TotalsMessage {
  const counted = totals.map(({ currency, exponent, totals: each }) => ({ currency, exponent, ...pick(each) })).filter(({ count }) => count > 0n);
  return create(TotalsSchema, { count: counted.reduce((sum, { count }) => sum + count, 0n), amounts: toMoneys(counted) });
}
