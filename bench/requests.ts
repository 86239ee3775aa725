// The calls of the load: messages encoded once, in which only the user's and the key's digits change.

import { create, toBinary } from "@bufbuild/protobuf";
import { AddMoneyRequestSchema, HoldMoneyRequestSchema } from "../gen/wallet/v1/wallet_service_pb.ts";

export type BenchMethod = "AddMoney" | "HoldMoney";

const userDigits = 7;
const keyDigits = 12;

/** The user with this number, from 0. */
export function userIdOf(number: number): string {
  return `user-${String(number).padStart(userDigits, "0")}`;
}

/** The path of the method in gRPC. */
export function pathOf(method: BenchMethod): string {
  return `/wallet.v1.WalletService/${method}`;
}

export interface RequestWriter {
  readonly messageBytes: number;
  /** Writes a message for a random user with a key that no other message of this writer has. */
  write(into: Buffer, at: number): void;
}

/** Writes requests of this method on so many wallets. Every message takes a new number from `nextKey`. */
export function requestWriter(method: BenchMethod, wallets: number, nextKey: () => number): RequestWriter {
  const request = { userId: userIdOf(0), currency: "USD", amount: "0.01", idempotencyKey: `bench-${"0".repeat(keyDigits)}` };
  const template =
    method === "AddMoney"
      ? Buffer.from(toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, request)))
      : Buffer.from(toBinary(HoldMoneyRequestSchema, create(HoldMoneyRequestSchema, request)));
  const userEnd = template.indexOf(request.userId) + request.userId.length;
  const keyEnd = template.indexOf(request.idempotencyKey) + request.idempotencyKey.length;
  return {
    messageBytes: template.length,
    write(into, at) {
      template.copy(into, at);
      writeDigits(into, at + userEnd, Math.floor(Math.random() * wallets));
      writeDigits(into, at + keyEnd, nextKey());
    },
  };
}

/** Overwrites zeros from the right. */
function writeDigits(into: Buffer, end: number, number: number): void {
  for (let at = end - 1, rest = number; rest > 0; at--, rest = Math.floor(rest / 10)) into[at] = 48 + (rest % 10);
}
