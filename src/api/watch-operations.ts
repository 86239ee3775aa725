// WatchOperations: the feed in the wire's words, each answer with the token that resumes behind it.

import type { HandlerContext } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchOperationsRequest, WatchOperationsResponseSchema } from "../../gen/wallet/v1/report_service_pb.ts";
import { genesisHash, type JournalPlace } from "../domain/journal.ts";
import type { UserId } from "../domain/wallet.ts";
import type { WatchLedgerOptions } from "../ledger/ledger-feed.ts";
import type { Reads } from "../store/store.ts";
import { toOperation } from "./answers.ts";
import { invalidField } from "./errors.ts";
import type { ReportAccess } from "./ledger-access.ts";
import { isSealOf, resumeTokens, type ResumeTokens, type TokenPlace } from "./resume-token.ts";

const otherLedger = "it is of another ledger, or this one was restored from a backup; begin anew without a token";

/**
 * The operations that the request asks for, as they are committed. Never ends by itself: with the caller, with its deadline, or with the service.
 * Throws INVALID_REQUEST for a token of another watch or ledger, OVERLOADED, STORE_UNAVAILABLE.
 */
export async function* watchOperations(
  { feed, reads }: Pick<ReportAccess, "feed" | "reads">,
  request: WatchOperationsRequest,
  { signal }: HandlerContext,
): AsyncGenerator<MessageInitShape<typeof WatchOperationsResponseSchema>, void, undefined> {
  const userId = request.userId as UserId | undefined;
  const tokens = resumeTokens(userId);
  const from = await startOf({ feed, reads }, request, tokens);
  for await (const { places, operation } of feed.watch({ userId, from, signal })) {
    const resumeToken = tokens.write(places);
    yield operation === undefined ? { resumeToken } : { resumeToken, operation: toOperation(operation, userId) };
  }
}

async function startOf(access: Pick<ReportAccess, "feed" | "reads">, { start, userId }: WatchOperationsRequest, tokens: ResumeTokens): Promise<WatchLedgerOptions["from"]> {
  if (start.case === "resumeToken") return placesOf(access, start.value, tokens, userId as UserId | undefined);
  return start.case === "fromStart" && start.value ? "start" : "now";
}

async function placesOf({ feed, reads }: Pick<ReportAccess, "feed" | "reads">, token: string, tokens: ResumeTokens, userId: UserId | undefined): Promise<readonly JournalPlace[]> {
  const places = tokens.read(token);
  if (typeof places === "string") throw wrongToken(places);
  const partitions = feed.partitionsOf(userId);
  if (places.length !== partitions.length) throw wrongToken(`is of a ledger with ${places.length} partitions and this one has ${partitions.length}; begin anew without a token`);
  const found: JournalPlace[] = [];
  // One after the other: all at once, those of many partitions would keep every reading connection from everybody.
  for (const [index, partition] of partitions.entries()) found.push(await placeIn(reads, partition, places[index]!));
  return found;
}

async function placeIn(reads: Reads, partition: number, place: TokenPlace): Promise<JournalPlace> {
  const { sequence } = place;
  const [operation] = sequence === 0n ? [] : await reads.operationsAfter(partition, sequence - 1n, 1);
  const hash = sequence === 0n ? genesisHash : operation?.record.sequence === sequence ? operation.record.hash : await hashAtBeginning(reads, partition, sequence);
  if (hash === undefined) {
    throw wrongToken(`points behind operation ${sequence} and the journal does not reach so far: ${otherLedger}`);
  }
  if (!isSealOf(hash, place)) {
    throw wrongToken(`points behind another operation ${sequence} than this journal has: ${otherLedger}`);
  }
  return { partition, sequence, hash };
}

/** A journal that was spread from another ledger's begins at a place that is no record's. */
async function hashAtBeginning(reads: Reads, partition: number, sequence: bigint): Promise<Uint8Array | undefined> {
  const start = await reads.start(partition);
  return sequence === start.sequence ? start.hash : undefined;
}

function wrongToken(description: string) {
  return invalidField("resume_token", description);
}
