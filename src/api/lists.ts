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
      const places = placesOf(request, status);
      const { max, position, tokenAt } = pageOf(ListHoldsRequestSchema, request, places.length);
      const eligibleAtMs = request.eligible ? await reads.nowMs(filterOf(request).userId) : undefined;
      const page = await reads.holds({ ...filterOf(request), status, eligibleAtMs, max, lookedAtMax, continueAt: position && toPlace(places, position) });
      if (page === undefined) throw invalidPageToken();
      return { holds: page.holds.map(({ hold, wallet }) => toHold(hold, wallet)), nextPageToken: tokenAt(page.continueAt && places.map((name) => page.continueAt![name]!)) };
    },

    async listOperations(request) {
      const { max, position, tokenAt } = pageOf(ListOperationsRequestSchema, request, 1);
      const period = periodOf(request);
      const wallet = await foundWallet(ledger, request);
      const kind = kindNames.get(request.kind);
      const reference = request.reference === "" ? undefined : request.reference;
      const page = await reads.operations({ wallet, ...period, kind, reference, max, lookedAtMax, notesMaxBytes, continueAt: position?.[0] });
      if (page === undefined) throw invalidPageToken();
      return { operations: page.operations.map((each) => toOperation(each, wallet.userId)), nextPageToken: tokenAt(page.continueAt === undefined ? undefined : [page.continueAt]) };
    },
  };
}

/** Undefined for any. Only active holds are eligible. Throws INVALID_REQUEST where others are asked for. */
function statusOf({ status, eligible }: ListHoldsRequest): HoldStatusName | undefined {
  if (!eligible) return statusNames.get(status);
  if (status !== HoldStatus.UNSPECIFIED && status !== HoldStatus.ACTIVE) throw invalidField("eligible", "goes with active holds only; leave out the status, or name HOLD_STATUS_ACTIVE");
  return "ACTIVE";
}

/** What a place in the list that is asked for consists of. */
function placesOf({ userId }: ListHoldsRequest, status: HoldStatusName | undefined): readonly (keyof HoldPlace)[] {
  if (status === "ACTIVE") return ["holdId", "eligibleTimeMs"];
  return userId === undefined ? ["holdId", "partition"] : ["holdId"];
}

function toPlace(names: readonly (keyof HoldPlace)[], position: readonly bigint[]): HoldPlace {
  return { holdId: position[0]!, ...Object.fromEntries(names.map((name, index) => [name, position[index]!])) };
}
