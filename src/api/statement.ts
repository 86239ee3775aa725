// GetStatement: a wallet's operations over a period, oldest first, between the balances before and after.

import { setImmediate } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { GetStatementResponseSchema, type GetStatementRequest, type GetStatementResponse } from "../../gen/wallet/v1/report_service_pb.ts";
import { beforeOpening } from "../domain/journal.ts";
import { toBalance, toOperation } from "./answers.ts";
import { foundWallet } from "./found-wallet.ts";
import type { LedgerReads } from "./ledger-access.ts";
import { periodOf } from "./points-in-time.ts";

/**
 * The lines of a statement whose ends are fixed when it begins. They are read a few at a time, as fast as they are taken, each time in a snapshot of its
 * own: a long one would keep the write-ahead log growing. Operations are never changed, so the snapshots are of one history.
 */
export async function* statementOf(ledger: LedgerReads, request: GetStatementRequest, { signal }: HandlerContext): AsyncGenerator<GetStatementResponse> {
  const asked = periodOf(request);
  const wallet = await foundWallet(ledger, request);
  const { userId, exponent } = wallet;
  const { after, upTo, opening, closing } = await ledger.reads.period(wallet, asked);
  yield line({ case: "openingBalance", value: toBalance(opening ?? beforeOpening, exponent) });
  for (let place = after; place < upTo; ) {
    const operations = await ledger.reads.operationsForward(wallet, { after: place, upTo });
    for (const operation of operations) yield line({ case: "operation", value: toOperation(operation, userId) });
    place = operations.at(-1)!.record.sequence;
    // Other calls get their turn, however fast this one's reader is.
    await setImmediate();
    signal.throwIfAborted();
  }
  yield line({ case: "closingBalance", value: toBalance(closing ?? beforeOpening, exponent) });
}

function line(content: Exclude<GetStatementResponse["line"], { case: undefined }>): GetStatementResponse {
  return create(GetStatementResponseSchema, { line: content });
}
