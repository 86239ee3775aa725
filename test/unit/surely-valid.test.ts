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

/** Runs of the property where it is to hold, and where it is to be broken: it ends with the first message that breaks it. */
const runs = { holding: 300, breaking: 20_000 };

/** Tried with whatever messages: nothing of which `check` says that it is valid is called anything else by protovalidate. */
function soundness(schema: DescMessage, check: (message: Message) => boolean, numRuns: number) {
  return fc.check(
    fc.property(anyMessages(schema), (message) => !check(message) || validator.validate(schema, message).kind === "valid"),
    { numRuns, endOnFailure: true },
  );
}

describe.each(types)("%s", (_, schema) => {
  it("is called surely valid only where protovalidate calls it valid", () => {
    const { failed, counterexample } = soundness(schema, (message) => surelyValid(schema, message), runs.holding);
    expect({ failed, counterexample }).toEqual({ failed: false, counterexample: null });
  });

  it("is called surely valid where nothing about it is out of the ordinary", () => {
    fc.assert(fc.property(ordinaryMessages(schema), (message) => surelyValid(schema, message) && validator.validate(schema, message).kind === "valid"));
  });

  it("has no rule that could be forgotten unnoticed", () => {
    const unnoticed = droppedRules(schema).filter((dropped) => {
      const check = createSurelyValid([dropped.schema]);
      return !soundness(schema, (message) => check(dropped.schema, message), runs.breaking).failed;
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
