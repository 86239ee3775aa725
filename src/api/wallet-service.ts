// WalletService: each handler a sentence between the wire's words and the ledger's.

import type { ConnectError, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { Answer, AppliedAnswer, BatchAnswer, ReleasedAnswer } from "../domain/answer.ts";
import type { Command, WalletCommand } from "../domain/command.ts";
import { keyHash } from "../domain/idempotency.ts";
import type { Rejection } from "../domain/rejection.ts";
import type { UserId } from "../domain/wallet.ts";
import { toApplied, toAppliedToHold, toHold, toMoneys, toOperation, toWallet } from "./answers.ts";
import { toBatchResults, toExecuteBatch } from "./batch.ts";
import { callerOf } from "./caller.ts";
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
  const submit = (command: Command, context: HandlerContext): Promise<Answer> => queue.submit(command, callerOf(context));
  /** Written with `then`: each `await` on the way would be a promise more for every call. */
  const apply = <R>(command: WalletCommand, context: HandlerContext, respond: (answer: AppliedAnswer) => R): Promise<R> =>
    submit(command, context).then((answer) => respond(granted(answer) as AppliedAnswer));

  return {
    ...listMethods(ledger),

    initWallet: (request, context) => apply(toInitWallet(request), context, (answer) => toApplied(answer, request.validateOnly)),
    addMoney: (request, context) => apply(toAddMoney(request), context, (answer) => toApplied(answer, request.validateOnly)),
    holdMoney: (request, context) => apply(toHoldMoney(request), context, (answer) => toAppliedToHold(answer, request.validateOnly)),
    reverseHold: (request, context) => apply(toReverseHold(request), context, (answer) => toAppliedToHold(answer, request.validateOnly)),
    captureHold: (request, context) => apply(toCaptureHold(request), context, (answer) => toAppliedToHold(answer, request.validateOnly)),
    extendHold: (request, context) => apply(toExtendHold(request), context, (answer) => toAppliedToHold(answer, request.validateOnly)),
    withdrawMoney: (request, context) => apply(toWithdrawMoney(request), context, (answer) => toApplied(answer, request.validateOnly)),
    transferMoney: (request, context) => apply(toTransferMoney(request), context, (answer) => toApplied(answer, request.validateOnly)),
    freezeWallet: (request, context) => apply(toChangeWalletState("freezeWallet", request), context, (answer) => toApplied(answer, request.validateOnly)),
    unfreezeWallet: (request, context) => apply(toChangeWalletState("unfreezeWallet", request), context, (answer) => toApplied(answer, request.validateOnly)),
    closeWallet: (request, context) => apply(toChangeWalletState("closeWallet", request), context, (answer) => toApplied(answer, request.validateOnly)),
    setWalletLimits: (request, context) => apply(toSetWalletLimits(request), context, (answer) => toApplied(answer, request.validateOnly)),

    executeBatch: (request, context) => submit(toExecuteBatch(request), context).then((answer) => ({ results: toBatchResults(granted(answer) as BatchAnswer) })),

    async releaseHolds(request, context) {
      const { count, amounts, moreRemain } = granted(await submit(toReleaseHolds(request), context)) as ReleasedAnswer;
      return { releasedCount: count, releasedAmounts: toMoneys(amounts), moreRemain };
    },

    async getWallet(request) {
      return { wallet: toWallet(await foundWallet(ledger, request)) };
    },

    async getHold({ userId, holdId }) {
      const found = await reads.hold(userId as UserId, holdId);
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
      const isKept = found !== undefined && found.key.timeMs > (await reads.nowMs(userId as UserId)) - rules.idempotencyRetentionMs;
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
