// The quick check of requests says yes only where protovalidate does, says it of whatever is ordinary, and would be caught if it forgot any rule.

import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReportService } from "../../gen/wallet/v1/report_service_pb.ts";
import { AddMoneyRequestSchema, BatchItemSchema, GetOperationRequestSchema, WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { createSurelyValid } from "../../src/api/surely-valid.ts";
import { droppedRules } from "../support/dropped-rules.ts";
import { anyMessages, ordinaryMessages } from "../support/messages.ts";

const requests = [WalletService, ReportService].flatMap(({ methods }) => methods.map(({ input }) => input));
const types: [string, DescMessage][] = [...requests, BatchItemSchema].map((schema) => [schema.name, schema]);
const validator = createValidator();
const surelyValid = createSurelyValid(requests);

/** Where it is to hold, and where it is to be broken: by any message, which need not be the simplest. */
const toHold = { numRuns: 300 };
const toBreak = { numRuns: 20_000, endOnFailure: true };

/** Tries whatever messages, and gives one of which `check` says that it is valid where protovalidate says otherwise; undefined where none was found. */
function wronglySure(schema: DescMessage, check: (message: Message) => boolean, options: fc.Parameters<[Message]>): Message | undefined {
  let found: Message | undefined;
  const { failed, errorInstance } = fc.check(
    fc.property(anyMessages(schema), (message) => {
      if (!check(message) || validator.validate(schema, message).kind === "valid") return true;
      found = message;
      return false;
    }),
    options,
  );
  if (failed && found === undefined) throw errorInstance;
  return found;
}

describe.each(types)("%s", (_, schema) => {
  it("is called surely valid only where protovalidate calls it valid", () => {
    expect(wronglySure(schema, (message) => surelyValid(schema, message), toHold)).toBeUndefined();
  });

  it("is called surely valid where nothing about it is out of the ordinary", () => {
    fc.assert(fc.property(ordinaryMessages(schema), (message) => surelyValid(schema, message) && validator.validate(schema, message).kind === "valid"));
  });

  it("has no rule that could be forgotten unnoticed", () => {
    const unnoticed = droppedRules(schema).filter((dropped) => {
      const check = createSurelyValid([dropped.schema]);
      return wronglySure(schema, (message) => check(dropped.schema, message), toBreak) === undefined;
    });
    expect(unnoticed.map(({ name }) => name)).toEqual([]);
  });
});

it("finds every rule of the protos to leave out", () => {
  expect(droppedRules(AddMoneyRequestSchema).map(({ name }) => name.slice(name.indexOf(".Add") + 1))).toEqual([
    "AddMoneyRequest.user_id: string.pattern",
    "AddMoneyRequest.currency: string.pattern",
    "AddMoneyRequest.amount: string.max_len",
    "AddMoneyRequest.amount: string.pattern",
    "AddMoneyRequest.related_operation_id: int64.gt",
    "AddMoneyRequest.idempotency_key: string.pattern",
    "AddMoneyRequest.reference: string.max_len",
    "AddMoneyRequest.metadata: map.max_pairs",
    "AddMoneyRequest.metadata: map.keys.string.min_len",
    "AddMoneyRequest.metadata: map.keys.string.max_len",
    "AddMoneyRequest.metadata: map.values.string.max_len",
    "AddMoneyRequest.expected_version: int64.gte",
  ]);
  expect(droppedRules(BatchItemSchema).map(({ name }) => name)).toEqual(["wallet.v1.BatchItem.operation: required"]);
  expect(droppedRules(GetOperationRequestSchema)[0]?.name).toBe("wallet.v1.GetOperationRequest: cel");
});

it("knows the rule of GetOperation in each of its cases", () => {
  const given = { operationId: 1n, userId: "ann", idempotencyKey: "k" };
  for (const names of fc.sample(fc.subarray(Object.keys(given) as (keyof typeof given)[]), 200)) {
    const request = create(GetOperationRequestSchema, Object.fromEntries(names.map((name) => [name, given[name]])));
    expect(surelyValid(GetOperationRequestSchema, request)).toBe(validator.validate(GetOperationRequestSchema, request).kind === "valid");
  }
});
