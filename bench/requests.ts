// The calls of the load: messages encoded once, in which only the user's and the key's digits change.

import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { AddMoneyRequestSchema, ExecuteBatchRequestSchema, HoldMoneyRequestSchema } from "../gen/wallet/v1/wallet_service_pb.ts";
import { walletPicker, type Popularity } from "./wallet-picker.ts";

export type BenchMethod = "AddMoney" | "HoldMoney";

export const userDigits = 7;
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

/** The path of the method in the original service. */
export function restPathOf(method: BenchMethod): string {
  return method === "AddMoney" ? "/wallet/add_money" : "/wallet/hold_money";
}

export interface RequestWriter {
  readonly messageBytes: number;
  /** Writes a message for a user with a key that no other message of this writer has. */
  write(into: Buffer, at: number): void;
}

const request = { userId: userIdOf(0), currency: "USD", amount: "0.01" };
const idempotencyKey = keyOf(0);

/** How a call is written: protobuf for gRPC, protobuf's JSON for Connect, or the snake_case JSON of the original service. */
export type Encoding = "binary" | "json" | "rest";

/** Writes requests of this method on so many wallets. Every message takes a new number from `nextKey`. */
export function requestWriter(method: BenchMethod, encoding: Encoding, wallets: number, nextKey: () => number, popularity: Popularity = "uniform"): RequestWriter {
  return templateWriter(templateOf(method, encoding), nextKey, walletPicker(wallets, popularity));
}

function templateOf(method: BenchMethod, encoding: Encoding): Buffer {
  const keyed = { ...request, idempotencyKey };
  const schema = method === "AddMoney" ? AddMoneyRequestSchema : HoldMoneyRequestSchema;
  switch (encoding) {
    case "binary":
      return Buffer.from(toBinary(schema, create(schema, keyed)));
    case "json":
      return Buffer.from(toJsonString(schema, create(schema, keyed)));
    case "rest":
      return Buffer.from(toJsonString(schema, create(schema, keyed), { useProtoFieldName: true }));
  }
}

/** What a batch consists of: additions to random wallets, or the openings of wallets one after another. */
export type BatchContent = { readonly type: "additions"; readonly popularity?: Popularity } | { readonly type: "openings"; readonly firstUser: number };

/** Makes requests of so many operations in one batch; without `nextKey` they have no keys. `wallets`: how many there are to add to. */
export function batchWriter(content: BatchContent, wallets: number, nextKey: (() => number) | undefined): (length: number) => Buffer {
  const key = nextKey === undefined ? {} : { idempotencyKey };
  const operation =
    content.type === "additions"
      ? { case: "addMoney" as const, value: { ...request, ...key } }
      : { case: "initWallet" as const, value: { userId: request.userId, currency: request.currency, ...key } };
  let user = content.type === "openings" ? content.firstUser : 0;
  const nextUser = content.type === "openings" ? (): number => user++ : walletPicker(wallets, content.popularity ?? "uniform");
  const ofOne = create(ExecuteBatchRequestSchema, { items: [{ operation }] });
  const writer = templateWriter(Buffer.from(toBinary(ExecuteBatchRequestSchema, ofOne)), nextKey, nextUser);
  return (length) => {
    // Requests of one item behind each other are a request of all: https://protobuf.dev/programming-guides/encoding/#last-one-wins.
    const message = Buffer.allocUnsafe(length * writer.messageBytes);
    for (let index = 0; index < length; index++) writer.write(message, index * writer.messageBytes);
    return message;
  };
}

function templateWriter(template: Buffer, nextKey: (() => number) | undefined, nextUser: () => number): RequestWriter {
  const userEnd = template.indexOf(request.userId) + request.userId.length;
  const keyEnd = template.indexOf(idempotencyKey) + idempotencyKey.length;
  return {
    messageBytes: template.length,
    write(into, at) {
      template.copy(into, at);
      writeDigits(into, at + userEnd, nextUser());
      if (nextKey !== undefined) writeDigits(into, at + keyEnd, nextKey());
    },
  };
}

/** Overwrites zeros from the right. */
function writeDigits(into: Buffer, end: number, number: number): void {
  for (let at = end - 1, rest = number; rest > 0; at--, rest = Math.floor(rest / 10)) into[at] = 48 + (rest % 10);
}
