// What a caller wants done, alone or in a batch, under keys that make it safe to send again, and what it was told of each part.

import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Operation } from "../../gen/wallet/v1/operation_pb.ts";
import { WalletService, type BatchItemSchema, type ExecuteBatchResponse } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { GrpcClient, Outcome } from "./grpc-client.ts";

const { executeBatch } = WalletService.method;

/** Every method that changes one wallet or two under a key, by the name that a batch's items have too. */
const methods = {
  initWallet: WalletService.method.initWallet,
  addMoney: WalletService.method.addMoney,
  holdMoney: WalletService.method.holdMoney,
  reverseHold: WalletService.method.reverseHold,
  captureHold: WalletService.method.captureHold,
  extendHold: WalletService.method.extendHold,
  withdrawMoney: WalletService.method.withdrawMoney,
  transferMoney: WalletService.method.transferMoney,
  freezeWallet: WalletService.method.freezeWallet,
  unfreezeWallet: WalletService.method.unfreezeWallet,
  closeWallet: WalletService.method.closeWallet,
  setWalletLimits: WalletService.method.setWalletLimits,
} as const;

export type Verb = keyof typeof methods;
export const verbs = Object.keys(methods) as readonly Verb[];

/** The answer to a call of its own. */
export type UnaryAnswer = MessageShape<(typeof methods)[Verb]["output"]>;
export type Answer = UnaryAnswer | ExecuteBatchResponse;

/** One operation that somebody wants, as an item of a batch says it. */
export interface Wish {
  readonly userId: string;
  /** Also the operation's reference, so that the journal says which wish each operation comes from. */
  readonly key: string;
  readonly verb: Verb;
  readonly currency: string;
  /** What the ledger has more of once it is done, in whole units; negative where money leaves it. */
  readonly bringsIn: bigint;
  readonly item: NonNullable<MessageInitShape<typeof BatchItemSchema>["operation"]>;
}

/** One call: the same request under the same keys however often it is sent. */
export interface Intention {
  readonly userId: string;
  /** Of its first operation. */
  readonly key: string;
  /** What it is, for people. */
  readonly name: string;
  /** One, or those of a batch in their order. A key may be there twice. */
  readonly wishes: readonly Wish[];
  send(client: GrpcClient): Promise<Outcome<Answer>>;
}

export interface Acknowledged {
  readonly intention: Intention;
  readonly outcome: Exclude<Outcome<Answer>, { type: "silent" }>;
}

/** What became of one wish. */
export type Verdict =
  /** Whole where a call of its own was answered; a batch's results are lean. */
  | { readonly type: "applied"; readonly operationId: bigint; readonly holdId: bigint | undefined; readonly operation: Operation | undefined; readonly available: string; readonly replayed: boolean }
  | { readonly type: "rejected"; readonly reason: string; readonly message: string; readonly replayed: boolean };

/** The wish as a call of its own. */
export function alone(wish: Wish): Intention {
  const { userId, key, verb, item } = wish;
  // An item's name is its method's, so that the two always fit; TypeScript does not follow that through a union.
  return { userId, key, name: verb, wishes: [wish], send: (client) => client.call(methods[verb], item.value as MessageInitShape<(typeof methods)[Verb]["input"]>) };
}

/** The wishes as one batch. */
export function together(wishes: readonly Wish[], { atomic }: { readonly atomic: boolean }): Intention {
  const { userId, key } = wishes[0]!;
  const request = { atomic, items: wishes.map(({ item }) => ({ operation: item })) };
  return { userId, key, name: atomic ? "atomic batch" : "batch", wishes, send: (client) => client.call(executeBatch, request) };
}

/** What became of each wish, in their order. */
export function verdictsOf({ intention, outcome }: Acknowledged): Verdict[] {
  if (outcome.type === "refused") return intention.wishes.map(() => rejected(outcome));
  const { response } = outcome;
  if (!isBatch(response)) return [unaryVerdict(response)];
  return response.results.map(({ outcome: result }): Verdict => {
    if (result.case === "rejected") return rejected(result.value);
    const { operationId, holdId, balanceAfter, replayed } = result.value!;
    return { type: "applied", operationId, holdId, operation: undefined, available: balanceAfter!.available, replayed };
  });
}

function isBatch(answer: Answer): answer is ExecuteBatchResponse {
  return answer.$typeName === executeBatch.output.typeName;
}

function unaryVerdict({ operation, replayed }: UnaryAnswer): Verdict {
  const { operationId, holdId, balanceAfter } = operation!;
  return { type: "applied", operationId, holdId, operation, available: balanceAfter!.available, replayed };
}

function rejected({ reason, message, metadata }: { readonly reason: string; readonly message: string; readonly metadata: Readonly<Record<string, string>> }): Verdict {
  return { type: "rejected", reason, message, replayed: metadata["replayed"] === "true" };
}
