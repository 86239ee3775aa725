// VerifyLedger and VerifyReceipt: whether the books are right, and whether the journal contains what somebody was once told.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ReportService, VerifyLedgerResponseSchema } from "../../gen/wallet/v1/report_service_pb.ts";
import type { JournalRecord } from "../domain/journal.ts";
import type { VerificationEvent } from "../ledger/verifier-messages.ts";
import type { RecordedOperation, Reads } from "../store/store.ts";
import type { ReportAccess } from "./ledger-access.ts";

type VerificationMethods = Pick<ServiceImpl<typeof ReportService>, "verifyLedger" | "verifyReceipt">;

/** The two methods of ReportService that prove something. */
export function verificationMethods({ reads, verifier }: Pick<ReportAccess, "reads" | "verifier">): VerificationMethods {
  return {
    async *verifyLedger(_, { signal }) {
      for await (const event of verifier.verify(signal)) yield toResponse(event);
    },

    async verifyReceipt({ operationId, hash }) {
      const found = await reads.operation(operationId);
      const received = found && (await receiversRecord(reads, found));
      return { valid: [found?.record, received].some((record) => record !== undefined && Buffer.compare(record.hash, hash) === 0) };
    },
  };
}

/** The other record of an operation between two partitions, whose hash the receiver was told: the first of the receiving wallet after the one that it names as the wallet's last. */
async function receiversRecord(reads: Reads, { record, receiver }: RecordedOperation): Promise<JournalRecord | undefined> {
  if (record.apart === undefined || record.receiver === undefined || receiver === undefined) return undefined;
  const wallet = (await reads.wallets(receiver.userId, receiver.currency))[0];
  if (wallet === undefined) return undefined;
  const [first] = await reads.operationsForward(receiver, { after: record.receiver.previousSequence, upTo: wallet.headSequence });
  return first?.record.operationId === record.operationId ? first.record : undefined;
}

function toResponse(event: VerificationEvent): MessageInitShape<typeof VerifyLedgerResponseSchema> {
  if (event.type === "progress") {
    const { checkedOperations, totalOperations } = event;
    return { event: { case: "progress", value: { checkedOperations, totalOperations } } };
  }
  const { checkedOperations, mismatches, mismatchCount } = event;
  return { event: { case: "result", value: { ok: mismatchCount === 0, mismatches: [...mismatches], mismatchCount: BigInt(mismatchCount), checkedOperations } } };
}
