// WatchOperations: the feed in the wire's words, each answer with the token that resumes behind it.

import type { HandlerContext } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchOperationsRequest, WatchOperationsResponseSchema } from "../../gen/wallet/v1/report_service_pb.ts";
import { genesisHash, onlyPartition, operationIdAt, type JournalPlace } from "../domain/journal.ts";
import type { UserId } from "../domain/wallet.ts";
import type { Reads } from "../store/store.ts";
import { toOperation } from "./answers.ts";
import { invalidField } from "./errors.ts";
import type { ReportAccess } from "./ledger-access.ts";
import { isSealOf, resumeTokens, type ResumeTokens } from "./resume-token.ts";

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
  const from = await startOf(request, tokens, reads);
  for await (const { place, operation } of feed.watch({ userId, from, signal })) {
    const resumeToken = tokens.write([place]);
    yield operation === undefined ? { resumeToken } : { resumeToken, operation: toOperation(operation, userId) };
  }
}

async function startOf({ start }: WatchOperationsRequest, tokens: ResumeTokens, reads: Reads): Promise<"now" | "start" | JournalPlace> {
  if (start.case === "resumeToken") return placeOf(start.value, tokens, reads);
  return start.case === "fromStart" && start.value ? "start" : "now";
}

async function placeOf(token: string, tokens: ResumeTokens, reads: Reads): Promise<JournalPlace> {
  const places = tokens.read(token);
  if (typeof places === "string") throw wrongToken(places);
  const [place, ...more] = places;
  if (place === undefined || more.length > 0) throw wrongToken(`is of a ledger with ${places.length} partitions and this one has 1; begin anew without a token`);
  const { sequence } = place;
  const hash = sequence === 0n ? genesisHash : (await reads.operation(operationIdAt(onlyPartition, sequence)))?.record.hash;
  if (hash === undefined) {
    throw wrongToken(`points behind operation ${sequence} and the journal does not reach so far: ${otherLedger}`);
  }
  if (!isSealOf(hash, place)) {
    throw wrongToken(`points behind another operation ${sequence} than this journal has: ${otherLedger}`);
  }
  return { partition: onlyPartition, sequence, hash };
}

function wrongToken(description: string) {
  return invalidField("resume_token", description);
}
