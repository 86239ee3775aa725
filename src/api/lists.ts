// The lists of WalletService: a user's wallets, holds, and a wallet's operations, page by page.

import type { ServiceImpl } from "@connectrpc/connect";
import { HoldStatus } from "../../gen/wallet/v1/hold_pb.ts";
import { ListHoldsRequestSchema, ListOperationsRequestSchema, ListWalletsRequestSchema, type ListHoldsRequest, type WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { holdStatusNumbers, type HoldStatus as HoldStatusName } from "../domain/hold.ts";
import { operationKindNumbers } from "../domain/journal.ts";
import { namesByNumber } from "../domain/names-by-number.ts";
import type { HoldPlace } from "../store/store.ts";
import { toHold, toOperation, toWallet } from "./answers.ts";
import { invalidField } from "./errors.ts";
import { foundWallet } from "./found-wallet.ts";
import type { LedgerReads } from "./ledger-access.ts";
import { invalidPageToken, lookedAtMax, notesMaxBytes, pageOf } from "./page-token.ts";
import { periodOf } from "./points-in-time.ts";
import { filterOf, walletOf } from "./requests.ts";

/** The stored numbers are the wire's; what is unspecified has no name. */
const statusNames = namesByNumber(holdStatusNumbers);
const kindNames = namesByNumber(operationKindNumbers);

type ListMethods = Pick<ServiceImpl<typeof WalletService>, "listWallets" | "listHolds" | "listOperations">;

/** The three methods of WalletService that list something. */
export function listMethods(ledger: LedgerReads): ListMethods {
  const { reads } = ledger;
  return {
    async listWallets(request) {
      const { max, position, tokenAt } = pageOf(ListWalletsRequestSchema, request, 1);
      const all = await reads.wallets(walletOf(request).userId, undefined);
      const rest = all.filter(({ walletId }) => position === undefined || walletId > position[0]!);
      const page = rest.slice(0, max);
      return { wallets: page.map(toWallet), nextPageToken: tokenAt(rest.length > max ? [page.at(-1)!.walletId] : undefined) };
    },

    async listHolds(request) {
      const status = statusOf(request);
      const { max, position, tokenAt } = pageOf(ListHoldsRequestSchema, request, status === "ACTIVE" ? 2 : 1);
      const eligibleAtMs = request.eligible ? await reads.nowMs() : undefined;
      const page = await reads.holds({ ...filterOf(request), status, eligibleAtMs, max, lookedAtMax, continueAt: position && toPlace(position) });
      if (page === undefined) throw invalidPageToken();
      return { holds: page.holds.map(({ hold, wallet }) => toHold(hold, wallet)), nextPageToken: tokenAt(page.continueAt && toPosition(page.continueAt)) };
    },

    async listOperations(request) {
      const { max, position, tokenAt } = pageOf(ListOperationsRequestSchema, request, 1);
      const period = periodOf(request);
      const { walletId, userId } = await foundWallet(ledger, request);
      const kind = kindNames.get(request.kind);
      const reference = request.reference === "" ? undefined : request.reference;
      const page = await reads.operations({ walletId, ...period, kind, reference, max, lookedAtMax, notesMaxBytes, continueAt: position?.[0] });
      if (page === undefined) throw invalidPageToken();
      return { operations: page.operations.map((each) => toOperation(each, userId)), nextPageToken: tokenAt(page.continueAt === undefined ? undefined : [page.continueAt]) };
    },
  };
}

/** Undefined for any. Only active holds are eligible. Throws INVALID_REQUEST where others are asked for. */
function statusOf({ status, eligible }: ListHoldsRequest): HoldStatusName | undefined {
  if (!eligible) return statusNames.get(status);
  if (status !== HoldStatus.UNSPECIFIED && status !== HoldStatus.ACTIVE) throw invalidField("eligible", "goes with active holds only; leave out the status, or name HOLD_STATUS_ACTIVE");
  return "ACTIVE";
}

function toPlace([holdId, eligibleTimeMs]: readonly bigint[]): HoldPlace {
  return eligibleTimeMs === undefined ? { holdId: holdId! } : { holdId: holdId!, eligibleTimeMs };
}

function toPosition({ holdId, eligibleTimeMs }: HoldPlace): bigint[] {
  return eligibleTimeMs === undefined ? [holdId] : [holdId, eligibleTimeMs];
}
