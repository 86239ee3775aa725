// What a service says of its own books: the sum of the wallets, and how VerifyLedger ends.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect } from "vitest";
import { ReportService, type VerifyResult } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { GrpcClient } from "./grpc-client.ts";

const walletsAtATime = 32;

/** Per currency, what the wallets of these users have by their own account, in whole units. */
export async function sumOfWallets(client: GrpcClient, userIds: readonly string[]): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  const rest = userIds.values();
  const lane = async (): Promise<void> => {
    for (const userId of rest) {
      const answer = await client.call(WalletService.method.getWallet, { userId });
      // An opening that was refused with its batch left nobody.
      if (answer.type === "refused" && answer.reason === "WALLET_NOT_FOUND") continue;
      if (answer.type !== "answered") throw new Error(`GetWallet of ${userId}: ${answer.type}`);
      const { currency, balance } = answer.response.wallet!;
      sums.set(currency, (sums.get(currency) ?? 0n) + wholeUnits(balance!.total));
    }
  };
  await Promise.all(Array.from({ length: walletsAtATime }, lane));
  return sums;
}

/** Nothing here is ever less than a whole unit. */
function wholeUnits(amount: string): bigint {
  expect(amount).toMatch(/^\d+(\.0+)?$/);
  return BigInt(amount.replace(/\..*/, ""));
}

/** How VerifyLedger ends; undefined where this version does not serve it. */
export async function verify(address: string): Promise<VerifyResult | undefined> {
  const client = createClient(ReportService, createGrpcTransport({ baseUrl: `http://${address}` }));
  try {
    for await (const { event } of client.verifyLedger({})) if (event.case === "result") return event.value;
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unimplemented) return undefined;
    throw error;
  }
  throw new Error("VerifyLedger ended without a result");
}
