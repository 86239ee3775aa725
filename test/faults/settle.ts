// After a fault: whether all that was acknowledged is there as it was told, and what became of the calls of which nothing is known.

import { equals, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { HoldSchema } from "../../gen/wallet/v1/hold_pb.ts";
import { OperationSchema, type Operation } from "../../gen/wallet/v1/operation_pb.ts";
import { WalletSchema } from "../../gen/wallet/v1/wallet_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { GrpcClient, Outcome } from "./grpc-client.ts";
import type { Acknowledged, Answer, Intention } from "./workload.ts";

/** Questions that are asked at a time. */
const asksAtATime = 32;

/** One sentence for each acknowledged outcome that is not there, or is another than was told. */
export async function missing(client: GrpcClient, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  return problemsOf(acknowledged, async ({ intention: { userId, key }, outcome }) => {
    const byKey = await client.call(WalletService.method.getOperation, { userId, idempotencyKey: key });
    if (byKey.type !== "answered") return `${key} was ${told(outcome)}; asked by its key: ${told(byKey)}`;
    const found = byKey.response.outcome;
    if (outcome.type === "refused") {
      const isRemembered = found.case === "rejection" && found.value.reason === outcome.reason;
      return isRemembered ? undefined : `${key} was ${told(outcome)}; asked by its key: ${found.case}`;
    }
    const operation = outcome.response.operation!;
    if (found.case !== "operation" || !equals(OperationSchema, found.value, operation)) return `${key} was ${told(outcome)}; asked by its key it is another`;
    const byId = await client.call(WalletService.method.getOperation, { operationId: operation.operationId });
    const isSame = byId.type === "answered" && byId.response.outcome.case === "operation" && equals(OperationSchema, byId.response.outcome.value, operation);
    return isSame ? undefined : `${key} was ${told(outcome)}; asked by its id: ${told(byId)}`;
  });
}

/** What became of calls that were sent again until they were known. */
export interface Settled {
  readonly acknowledged: Acknowledged[];
  /** How many of them had been done, or refused, before the fault. */
  readonly hadBeenDecided: number;
  readonly problems: string[];
}

/** Sends each intention again with its key, and once more: the second answer must be the first one, replayed. */
export async function settle(client: GrpcClient, intentions: readonly Intention[]): Promise<Settled> {
  const acknowledged: Acknowledged[] = [];
  let hadBeenDecided = 0;
  const problems = await problemsOf(intentions, async (intention) => {
    const first = await intention.send(client);
    if (first.type === "silent") return `${intention.key} was sent again and got ${told(first)}`;
    if (isReplayed(first)) hadBeenDecided++;
    const second = await intention.send(client);
    acknowledged.push({ intention, outcome: first });
    if (!isReplayed(second)) return `${intention.key} was ${told(first)} and, sent once more, ${told(second)} without being a replay`;
    return sameAnswer(first, second) ? undefined : `${intention.key} was ${told(first)} and, sent once more, ${told(second)}`;
  });
  return { acknowledged, hadBeenDecided, problems };
}

/** Whether two outcomes tell the same: operation, wallet and hold, or reason and sentence. */
export function sameAnswer(one: Outcome<Answer>, other: Outcome<Answer>): boolean {
  if (one.type === "refused" && other.type === "refused") return one.reason === other.reason && one.message === other.message;
  if (one.type !== "answered" || other.type !== "answered") return false;
  const [a, b] = [one.response, other.response];
  return same(OperationSchema, a.operation, b.operation) && same(WalletSchema, a.wallet, b.wallet) && same(HoldSchema, holdOf(a), holdOf(b));
}

/** The operations among them. */
export function operationsOf(acknowledged: readonly Acknowledged[]): { key: string; operation: Operation }[] {
  return acknowledged.flatMap(({ intention, outcome }) => (outcome.type === "answered" ? [{ key: intention.key, operation: outcome.response.operation! }] : []));
}

function isReplayed(outcome: Outcome<Answer>): boolean {
  if (outcome.type === "answered") return outcome.response.replayed;
  return outcome.type === "refused" && outcome.metadata["replayed"] === "true";
}

function holdOf(answer: Answer) {
  return "hold" in answer ? answer.hold : undefined;
}

function same<M extends Message>(schema: GenMessage<M>, a: M | undefined, b: M | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equals(schema, a, b);
}

function told(outcome: Outcome): string {
  if (outcome.type === "answered") return "answered";
  return outcome.type === "refused" ? `refused with ${outcome.reason}` : `${outcome.code} (${outcome.details})`;
}

/** Looks at each item, a bounded number at a time, and answers what was wrong. */
async function problemsOf<Item>(items: readonly Item[], look: (item: Item) => Promise<string | undefined>): Promise<string[]> {
  const problems: string[] = [];
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) {
      const problem = await look(item);
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: asksAtATime }, lane));
  return problems;
}
