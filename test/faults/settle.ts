// After a fault: whether all that was acknowledged is there as it was told, and what became of the calls of which nothing is known.

import { equals, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { HoldSchema } from "../../gen/wallet/v1/hold_pb.ts";
import { OperationSchema, type Operation } from "../../gen/wallet/v1/operation_pb.ts";
import { WalletSchema } from "../../gen/wallet/v1/wallet_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { GrpcClient, Outcome } from "./grpc-client.ts";
import { verdictsOf, type Acknowledged, type Answer, type Intention, type Verdict, type Wish } from "./intentions.ts";

/** Questions that are asked at a time. */
const asksAtATime = 32;

/** Says nothing of what the key stands for, which is another request. */
const aboutTheKeyOnly = "IDEMPOTENCY_KEY_REUSED";

/** One sentence for each acknowledged outcome that is not there, or is another than was told. */
export async function missing(client: GrpcClient, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const decided = acknowledged.flatMap((each) => {
    const verdicts = verdictsOf(each);
    return each.intention.wishes.map((wish, index) => ({ wish, verdict: verdicts[index]! }));
  });
  return problemsOf(decided, ({ wish, verdict }) => missed(client, wish, verdict));
}

/** Asks by the key, and what was applied by its id too. */
async function missed(client: GrpcClient, { userId, key }: Wish, verdict: Verdict): Promise<string | undefined> {
  if (verdict.type === "rejected" && verdict.reason === aboutTheKeyOnly) return undefined;
  const wrong = (found: string): string => `${key} was ${verdict.type === "applied" ? "applied" : `refused with ${verdict.reason}`}; asked by its ${found}`;
  const byKey = await client.call(WalletService.method.getOperation, { userId, idempotencyKey: key });
  if (byKey.type !== "answered") return wrong(`key: ${told(byKey)}`);
  const found = byKey.response.outcome;
  if (verdict.type === "rejected") {
    const isRemembered = found.case === "rejection" && found.value.reason === verdict.reason && saysAsMuch(found.value, verdict);
    return isRemembered ? undefined : wrong(`key: ${found.case === "rejection" ? found.value.message : found.case}`);
  }
  if (found.case !== "operation" || !isAsTold(found.value, verdict)) return wrong("key it is another");
  const byId = await client.call(WalletService.method.getOperation, { operationId: verdict.operationId });
  if (byId.type !== "answered" || byId.response.outcome.case !== "operation") return wrong(`id: ${told(byId)}`);
  return sameToAll(byId.response.outcome.value, found.value) ? undefined : wrong("id it is another");
}

/** The same sentence; of an aborted batch at least which item it was and why: other users' keys do not remember what was wrong with it in particular. */
function saysAsMuch(later: { readonly reason: string; readonly message: string }, first: { readonly message: string }): boolean {
  if (later.message === first.message) return true;
  return later.reason === "BATCH_ABORTED" && first.message.startsWith(`${later.message.replace(/\.$/, "")}: `);
}

/** A batch told only some of it. */
function isAsTold(found: Operation, { operation, operationId, holdId, available }: Verdict & { type: "applied" }): boolean {
  if (operation !== undefined) return equals(OperationSchema, found, operation);
  return found.operationId === operationId && found.holdId === holdId && found.balanceAfter?.available === available;
}

/** Whether an operation that is read by its id is the one that its user sees, who sees only their own balance of it. */
function sameToAll(whole: Operation, own: Operation): boolean {
  if (own.entries.length === 0) return equals(OperationSchema, whole, own);
  return whole.operationId === own.operationId && Buffer.compare(whole.hash, own.hash) === 0 && whole.reference === own.reference;
}

/** What became of calls that were sent again until they were known. */
export interface Settled {
  readonly acknowledged: Acknowledged[];
  /** How many of them had been done, or refused, before the fault. */
  readonly hadBeenDecided: number;
  readonly problems: string[];
}

/** Sends each intention again with its keys, and once more: the second answer must be the first one, replayed. */
export async function settle(client: GrpcClient, intentions: readonly Intention[]): Promise<Settled> {
  const acknowledged: Acknowledged[] = [];
  let hadBeenDecided = 0;
  const problems = await problemsOf(intentions, async (intention) => {
    const first = await intention.send(client);
    if (first.type === "silent") return `${intention.key} was sent again and got ${told(first)}`;
    if (isReplayed(intention, first)) hadBeenDecided++;
    const second = await intention.send(client);
    acknowledged.push({ intention, outcome: first });
    if (!isReplayed(intention, second)) return `${intention.key} was ${told(first)} and, sent once more, ${told(second)} without being a replay`;
    return sameAnswer(intention, first, second) ? undefined : `${intention.key} was ${told(first)} and, sent once more, ${told(second)}`;
  });
  return { acknowledged, hadBeenDecided, problems };
}

/** Whether two outcomes tell the same: operation, wallet and hold, or reason and sentence; of a batch, each result. */
function sameAnswer(intention: Intention, one: Outcome<Answer>, other: Outcome<Answer>): boolean {
  if (one.type === "silent" || other.type === "silent" || one.type !== other.type) return false;
  const [ones, others] = [verdictsOf({ intention, outcome: one }), verdictsOf({ intention, outcome: other })];
  if (ones.length !== others.length || !ones.every((verdict, index) => sameVerdict(verdict, others[index]!))) return false;
  if (one.type !== "answered" || other.type !== "answered" || !("wallet" in one.response) || !("wallet" in other.response)) return true;
  return same(WalletSchema, one.response.wallet, other.response.wallet) && same(HoldSchema, holdOf(one.response), holdOf(other.response));
}

function sameVerdict(one: Verdict, other: Verdict): boolean {
  if (one.type === "rejected") return other.type === "rejected" && one.reason === other.reason && saysAsMuch(other, one);
  if (other.type === "rejected") return false;
  return one.operationId === other.operationId && one.holdId === other.holdId && one.available === other.available && same(OperationSchema, one.operation, other.operation);
}

/** Everything that a key remembers of it was there before. */
function isReplayed(intention: Intention, outcome: Outcome<Answer>): boolean {
  if (outcome.type === "silent") return false;
  return verdictsOf({ intention, outcome }).every((verdict) => verdict.replayed || (verdict.type === "rejected" && verdict.reason === aboutTheKeyOnly));
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
