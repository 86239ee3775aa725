// VerifyLedger and VerifyReceipt: whether the books are right, and whether the journal contains what somebody was once told.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ReportService, VerifyLedgerResponseSchema } from "../../gen/wallet/v1/report_service_pb.ts";
import type { VerificationEvent } from "../ledger/verifier-messages.ts";
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
      return { valid: found !== undefined && Buffer.compare(found.record.hash, hash) === 0 };
    },
  };
}

function toResponse(event: VerificationEvent): MessageInitShape<typeof VerifyLedgerResponseSchema> {
  if (event.type === "progress") {
    const { checkedOperations, totalOperations } = event;
    return { event: { case: "progress", value: { checkedOperations, totalOperations } } };
  }
  const { checkedOperations, mismatches, mismatchCount } = event;
  return { event: { case: "result", value: { ok: mismatchCount === 0, mismatches: [...mismatches], mismatchCount: BigInt(mismatchCount), checkedOperations } } };
}
