// WalletService: each handler a sentence between the wire's words and the ledger's.

import type { ConnectError, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { Answer, AppliedAnswer, BatchAnswer, ReleasedAnswer } from "../domain/answer.ts";
import type { ExecuteBatch, ReleaseHolds, WalletCommand } from "../domain/command.ts";
import { keyHash } from "../domain/idempotency.ts";
import type { Rejection } from "../domain/rejection.ts";
import type { UserId } from "../domain/wallet.ts";
import { toApplied, toAppliedToHold, toHold, toMoneys, toOperation, toWallet } from "./answers.ts";
import { toBatchResults, toExecuteBatch } from "./batch.ts";
import { serviceError } from "./errors.ts";
import { foundWallet } from "./found-wallet.ts";
import type { LedgerAccess } from "./ledger-access.ts";
import { listMethods } from "./lists.ts";
import {
  toAddMoney,
  toCaptureHold,
  toChangeWalletState,
  toExtendHold,
  toHoldMoney,
  toInitWallet,
  toReleaseHolds,
  toReverseHold,
  toSetWalletLimits,
  toTransferMoney,
  toWithdrawMoney,
} from "./requests.ts";
import { rejectionError, toRejection } from "./sentences.ts";

/** Every method of the service. */
export function walletService(ledger: LedgerAccess): ServiceImpl<typeof WalletService> {
  const { queue, reads, rules } = ledger;
  const apply = async (command: WalletCommand, { signal }: HandlerContext): Promise<AppliedAnswer> => granted(await queue.submit(command, signal)) as AppliedAnswer;
  const release = async (command: ReleaseHolds, { signal }: HandlerContext): Promise<ReleasedAnswer> => granted(await queue.submit(command, signal)) as ReleasedAnswer;
  const execute = async (command: ExecuteBatch, { signal }: HandlerContext): Promise<BatchAnswer> => granted(await queue.submit(command, signal)) as BatchAnswer;

  return {
    ...listMethods(ledger),

    initWallet: async (request, context) => toApplied(await apply(toInitWallet(request), context), request.validateOnly),
    addMoney: async (request, context) => toApplied(await apply(toAddMoney(request), context), request.validateOnly),
    holdMoney: async (request, context) => toAppliedToHold(await apply(toHoldMoney(request), context), request.validateOnly),
    reverseHold: async (request, context) => toAppliedToHold(await apply(toReverseHold(request), context), request.validateOnly),
    captureHold: async (request, context) => toAppliedToHold(await apply(toCaptureHold(request), context), request.validateOnly),
    extendHold: async (request, context) => toAppliedToHold(await apply(toExtendHold(request), context), request.validateOnly),
    withdrawMoney: async (request, context) => toApplied(await apply(toWithdrawMoney(request), context), request.validateOnly),
    transferMoney: async (request, context) => toApplied(await apply(toTransferMoney(request), context), request.validateOnly),
    freezeWallet: async (request, context) => toApplied(await apply(toChangeWalletState("freezeWallet", request), context), request.validateOnly),
    unfreezeWallet: async (request, context) => toApplied(await apply(toChangeWalletState("unfreezeWallet", request), context), request.validateOnly),
    closeWallet: async (request, context) => toApplied(await apply(toChangeWalletState("closeWallet", request), context), request.validateOnly),
    setWalletLimits: async (request, context) => toApplied(await apply(toSetWalletLimits(request), context), request.validateOnly),

    executeBatch: async (request, context) => ({ results: toBatchResults(await execute(toExecuteBatch(request), context)) }),

    async releaseHolds(request, context) {
      const { count, amounts, moreRemain } = await release(toReleaseHolds(request), context);
      return { releasedCount: count, releasedAmounts: toMoneys(amounts), moreRemain };
    },

    async getWallet(request) {
      return { wallet: toWallet(await foundWallet(ledger, request)) };
    },

    async getHold({ userId, holdId }) {
      const found = await reads.hold(holdId);
      if (found?.wallet.userId !== userId) throw refused({ reason: "HOLD_NOT_FOUND", userId, holdId });
      return { hold: toHold(found.hold, found.wallet) };
    },

    async getOperation({ operationId, userId, idempotencyKey }) {
      if (operationId !== undefined) {
        const found = await reads.operation(operationId);
        if (found === undefined) throw refused({ reason: "OPERATION_NOT_FOUND", operationId });
        return { outcome: { case: "operation", value: toOperation(found, undefined) } };
      }
      const found = await reads.key(userId as UserId, keyHash(userId as UserId, idempotencyKey!));
      const isKept = found !== undefined && found.key.timeMs > (await reads.nowMs()) - rules.idempotencyRetentionMs;
      if (!isKept) throw unknownKey(userId!, idempotencyKey!);
      if (found.operation !== undefined) return { outcome: { case: "operation", value: toOperation(found.operation, userId as UserId) } };
      const { rejection } = found.key.outcome as { rejection: Rejection };
      return { outcome: { case: "rejection", value: toRejection(rejection, false) } };
    },
  };
}

/** The answer where the ledger said yes; throws its rejection where it said no. */
function granted(answer: Answer): Answer {
  if (answer.type === "rejected") throw rejectionError(answer.rejection, answer.replayed);
  return answer;
}

function refused(rejection: Rejection): ConnectError {
  return rejectionError(rejection, false);
}

function unknownKey(userId: string, idempotencyKey: string): ConnectError {
  return serviceError(
    "OPERATION_NOT_FOUND",
    `Nothing is remembered of user ${userId} and this key: it was never seen, is still under way, or is no longer kept. Within WALLET_IDEMPOTENCY_RETENTION of the first attempt it is safe to send the call again with the same key; later it would be done anew.`,
    { metadata: { user_id: userId, idempotency_key: idempotencyKey } },
  );
}
