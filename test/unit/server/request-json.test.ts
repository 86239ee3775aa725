// What is wrong within a request's JSON is said of the place where it is, however deep.

import type { DescMessage } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { GetWalletBalanceRequestSchema } from "../../../gen/wallet/v1/report_service_pb.ts";
import { AddMoneyRequestSchema, ExecuteBatchRequestSchema } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { requestFields, type NumbersForStrings } from "../../../src/server/request-json.ts";

/** What is said of the body: field and sentence; undefined where nothing is. */
function said(body: unknown, message: DescMessage, numbers: NumbersForStrings = "refused"): { field: string | undefined; sentence: string } | undefined {
  try {
    requestFields(typeof body === "string" ? body : JSON.stringify(body), message, numbers);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const detail = error.details.find((each) => "desc" in each && each.desc.typeName === BadRequestSchema.typeName) as { value: { fieldViolations: { field: string }[] } } | undefined;
    return { field: detail?.value.fieldViolations[0]?.field, sentence: error.rawMessage };
  }
}

const item = (fields: object): object => ({ items: [{ addMoney: { userId: "ann", amount: "1" } }, { add_money: { userId: "bob", amount: "1", ...fields } }] });

test.each([
  ["an unknown field", item({ ammount: "1" }), "items[1].add_money.ammount", "is not a field of this request"],
  ["a number for a text", item({ amount: 1.5 }), "items[1].add_money.amount", "must be a string in quotes, not 1.5"],
  ["a flag for a text", item({ amount: true }), "items[1].add_money.amount", "must be a string in quotes, not true"],
  ["a list for a text", item({ amount: ["1"] }), "items[1].add_money.amount", "must be a string in quotes, not a list"],
  ["an object for a text", item({ amount: { units: "1" } }), "items[1].add_money.amount", "must be a string in quotes, not an object"],
  ["a number in a map", item({ metadata: { order: "1", shop: 7 } }), 'items[1].add_money.metadata["shop"]', "must be a string in quotes, not 7"],
  ["a whole number in hexadecimal", item({ relatedOperationId: "0x10" }), "items[1].add_money.related_operation_id", "must be written in plain digits, not as 0x10"],
  ["a duration that is none", { items: [{ holdMoney: { holdPeriod: "10m" } }] }, "items[0].hold_money.hold_period", 'must be a number of seconds with at most nine decimals and an s, such as "600s"'],
  ["a number that is none of JavaScript's for a flag", '{"items":[{"addMoney":{"validateOnly":1e999}}]}', "items[0].add_money.validate_only", "must not be 1e999"],
  ["a whole number with a fraction that JavaScript drops", '{"items":[{"addMoney":{"expectedVersion":5.0000000000000000001}}]}', "items[0].add_money.expected_version", "must be a whole number in plain digits, not 5.0000000000000000001"],
  ["a whole number too small for JavaScript", '{"items":[{"addMoney":{"expectedVersion":1e-400}}]}', "items[0].add_money.expected_version", "must be a whole number in plain digits, not 1e-400"],
  ["a list for a flag", { items: [], atomic: [true] }, "atomic", "must be one value, not a list"],
  ["a text for a list", { items: "none" }, "items", "must be a list"],
  ["a list for a map", item({ metadata: ["a"] }), "items[1].add_money.metadata", "must be an object"],
  ["a text for an operation", { items: [{ addMoney: "1" }] }, "items[0].add_money", "must be an object"],
  ["no operation that there is", { items: [{ giveMoney: {} }] }, "items[0].giveMoney", "is not a field of this request"],
  ["a key for all", { idempotencyKey: "k", items: [] }, "idempotencyKey", "a batch has none of its own; give each operation in it one"],
  ["the same in the proto's spelling", { idempotency_key: "k" }, "idempotency_key", "a batch has none of its own; give each operation in it one"],
])("%s in a batch", (_, body, field, description) => {
  expect(said(body, ExecuteBatchRequestSchema)).toEqual({ field, sentence: `${field}: ${description}` });
});

test("a key that would fill the answer is cut", () => {
  expect(said({ ["x".repeat(1_000)]: 1 }, AddMoneyRequestSchema)?.field).toBe(`${"x".repeat(120)}…`);
});

test("what is right, or absent, or for others to refuse, is no flaw", () => {
  expect(said(item({ currency: null, metadata: null, relatedOperationId: 5 }), ExecuteBatchRequestSchema)).toBeUndefined();
  expect(said({ user_id: 1, amount: 100.5 }, AddMoneyRequestSchema, "taken")).toBeUndefined();
  expect(said({ items: [null] }, ExecuteBatchRequestSchema)).toBeUndefined();
});

test("every digit of a number is kept where the proto has text, or a whole number", () => {
  expect(requestFields('{"user_id": 1, "amount": 12345678901234567890.10, "related_operation_id": 9007199254740993}', AddMoneyRequestSchema, "taken")).toEqual({ user_id: "1", amount: "12345678901234567890.10", related_operation_id: "9007199254740993" });
  expect(requestFields('{"expected_version": 9.007199254740993e15, "related_operation_id": 5.00}', AddMoneyRequestSchema, "refused")).toEqual({ expected_version: "9007199254740993", related_operation_id: "5" });
});

test("a null of several that exclude each other says nothing, as any null", () => {
  expect(requestFields('{"userId": "ann", "asOfTime": null, "asOfOperationId": "3"}', GetWalletBalanceRequestSchema, "refused")).toEqual({ userId: "ann", asOfOperationId: "3" });
  expect(requestFields('{"items": [{"addMoney": {}, "withdrawMoney": null}]}', ExecuteBatchRequestSchema, "refused")).toEqual({ items: [{ addMoney: {} }] });
});

test("what stands in a text is no part of the body, whatever is escaped in it", () => {
  const reference = `${",:[{".repeat(20_000)}\\"`;
  expect(requestFields(JSON.stringify({ userId: "ann", reference }), AddMoneyRequestSchema, "refused")).toEqual({ userId: "ann", reference });
  const parts = `[${",".repeat(20_001)}]`;
  expect(said(`{"userId":"\\\\","amount":${parts}}`, AddMoneyRequestSchema)?.sentence).toMatch(/^The body has more than 20000 parts/);
  expect(said(`{"userId":"\\"","amount":${parts}}`, AddMoneyRequestSchema)?.sentence).toMatch(/^The body has more than 20000 parts/);
  expect(said('{"userId":"ann', AddMoneyRequestSchema)?.sentence).toMatch(/^The body is not a JSON object/);
});

test("10,000 operations that have everything are not too many parts", () => {
  const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k${index}`, ""]));
  const captureHold = { userId: "u", holdId: "1", amount: "1", toUserId: "v", final: true, idempotencyKey: "k", reference: "", metadata, expectedVersion: "1" };
  expect(said({ items: Array.from({ length: 10_000 }, () => ({ captureHold })) }, ExecuteBatchRequestSchema)).toBeUndefined();
});
