// The calls of the load: messages encoded once, in which only the user's and the key's digits change.

import { create, toBinary } from "@bufbuild/protobuf";
import { AddMoneyRequestSchema, ExecuteBatchRequestSchema, HoldMoneyRequestSchema } from "../gen/wallet/v1/wallet_service_pb.ts";

export type BenchMethod = "AddMoney" | "HoldMoney";

const userDigits = 7;
const keyDigits = 12;

/** The user with this number, from 0. */
export function userIdOf(number: number): string {
  return `user-${String(number).padStart(userDigits, "0")}`;
}

/** The idempotency key with this number. */
export function keyOf(number: number): string {
  return `bench-${String(number).padStart(keyDigits, "0")}`;
}

/** The path of the method in gRPC. */
export function pathOf(method: BenchMethod | "ExecuteBatch"): string {
  return `/wallet.v1.WalletService/${method}`;
}

export interface RequestWriter {
  readonly messageBytes: number;
  /** Writes a message for a random user with a key that no other message of this writer has. */
  write(into: Buffer, at: number): void;
}

const request = { userId: userIdOf(0), currency: "USD", amount: "0.01" };
const idempotencyKey = keyOf(0);

/** Writes requests of this method on so many wallets. Every message takes a new number from `nextKey`. */
export function requestWriter(method: BenchMethod, wallets: number, nextKey: () => number): RequestWriter {
  const keyed = { ...request, idempotencyKey };
  const template =
    method === "AddMoney" ? toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, keyed)) : toBinary(HoldMoneyRequestSchema, create(HoldMoneyRequestSchema, keyed));
  return templateWriter(Buffer.from(template), wallets, nextKey);
}

/** Makes requests of so many additions in one batch, each to a random user; without `nextKey` they have no keys. */
export function batchWriter(wallets: number, nextKey: (() => number) | undefined): (length: number) => Buffer {
  const value = nextKey === undefined ? request : { ...request, idempotencyKey };
  const ofOne = create(ExecuteBatchRequestSchema, { items: [{ operation: { case: "addMoney", value } }] });
  const writer = templateWriter(Buffer.from(toBinary(ExecuteBatchRequestSchema, ofOne)), wallets, nextKey);
  return (length) => {
    // Requests of one item behind each other are a request of all: https://protobuf.dev/programming-guides/encoding/#last-one-wins.
    const message = Buffer.allocUnsafe(length * writer.messageBytes);
    for (let index = 0; index < length; index++) writer.write(message, index * writer.messageBytes);
    return message;
  };
}

function templateWriter(template: Buffer, wallets: number, nextKey: (() => number) | undefined): RequestWriter {
  const userEnd = template.indexOf(request.userId) + request.userId.length;
  const keyEnd = template.indexOf(idempotencyKey) + idempotencyKey.length;
  return {
    messageBytes: template.length,
    write(into, at) {
      template.copy(into, at);
      writeDigits(into, at + userEnd, Math.floor(Math.random() * wallets));
      if (nextKey !== undefined) writeDigits(into, at + keyEnd, nextKey());
    },
  };
}

/** Overwrites zeros from the right. */
function writeDigits(into: Buffer, end: number, number: number): void {
  for (let at = end - 1, rest = number; rest > 0; at--, rest = Math.floor(rest / 10)) into[at] = 48 + (rest % 10);
}
