// A batch between the wire and the ledger: items to commands, results to lean messages.

import { create } from "@bufbuild/protobuf";
import { RejectionSchema, type BatchItem, type BatchResult, type ExecuteBatchRequest } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { BatchAnswer } from "../domain/answer.ts";
import type { ExecuteBatch, WalletCommand } from "../domain/command.ts";
import { toBalance } from "./answers.ts";
import { invalidField } from "./errors.ts";
import * as requests from "./requests.ts";
import { toRejection } from "./sentences.ts";

/** The whole batch, or the error of its first item that is malformed: nothing of such a batch is decided. */
export function toExecuteBatch({ items, atomic }: ExecuteBatchRequest): ExecuteBatch {
  return { type: "executeBatch", items: items.map(toItem), atomic };
}

/**
 * Bytes of sentences and facts that a batch's answer tells of its rejections, in JSON. An applied result has 220 at most and a rejected one 80 beside them, so that 10,000 of either
 * fit into the 4 MiB that clients accept.
 */
const rejectionTextsMaxBytes = 1_500_000;

/** One result for each item, in the items' order. When the rejections have told very much, the rest of them give their reason alone. */
export function toBatchResults({ results }: BatchAnswer): BatchResult[] {
  let textsBytes = 0;
  return results.map((result) => {
    if (result.type === "rejected") {
      const value = toRejection(result.rejection, result.replayed);
      textsBytes += Buffer.byteLength(JSON.stringify([value.message, value.metadata]));
      const told = textsBytes <= rejectionTextsMaxBytes ? value : create(RejectionSchema, { reason: value.reason });
      return batchResult({ case: "rejected", value: told });
    }
    const { operationId, after, exponent, holdId, replayed } = result;
    return batchResult({ case: "applied", value: { $typeName: "wallet.v1.BatchApplied", operationId, balanceAfter: toBalance(after, exponent), holdId, replayed } });
  });
}

function batchResult(outcome: BatchResult["outcome"]): BatchResult {
  return { $typeName: "wallet.v1.BatchResult", outcome };
}

function toItem({ operation }: BatchItem, index: number): WalletCommand {
  // Validation refuses an item without an operation.
  if (operation.case === undefined) throw invalidField(`items[${index}]`, "needs an operation");
  const at: requests.Path = (field) => `items[${index}].${snakeCase(operation.case)}.${field}`;
  if (operation.value.validateOnly) throw invalidField(at("validate_only"), "cannot be set in a batch; leave it out, or send the operation by itself");
  switch (operation.case) {
    case "initWallet":
      return requests.toInitWallet(operation.value, at);
    case "addMoney":
      return requests.toAddMoney(operation.value, at);
    case "holdMoney":
      return requests.toHoldMoney(operation.value, at);
    case "reverseHold":
      return requests.toReverseHold(operation.value);
    case "captureHold":
      return requests.toCaptureHold(operation.value, at);
    case "extendHold":
      return requests.toExtendHold(operation.value, at);
    case "withdrawMoney":
      return requests.toWithdrawMoney(operation.value, at);
    case "transferMoney":
      return requests.toTransferMoney(operation.value, at);
    case "freezeWallet":
    case "unfreezeWallet":
    case "closeWallet":
      return requests.toChangeWalletState(operation.case, operation.value);
    case "setWalletLimits":
      return requests.toSetWalletLimits(operation.value, at);
    default:
      return operation satisfies never;
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
