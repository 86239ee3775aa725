// What happens around every call: request id, idempotency header, validation in plain words, faults, and the log line.

import { createClient, createRouterTransport, Code, ConnectError } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ReportService } from "../../../gen/wallet/v1/report_service_pb.ts";
import type { AddMoneyRequest, GetOperationRequest } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { serviceError } from "../../../src/api/errors.ts";
import { createInterceptors } from "../../../src/api/interceptors.ts";
import { requestIdKey } from "../../../src/api/request-id.ts";
import { createRequestValidator } from "../../../src/api/validation.ts";

const validate = createRequestValidator([WalletService, ReportService]);

function wallet(implementation: Partial<ServiceImpl<typeof WalletService>> = {}, level = "debug") {
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level }, { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  const seen: (AddMoneyRequest | GetOperationRequest)[] = [];
  const handlers: Partial<ServiceImpl<typeof WalletService>> = {
    addMoney: (request) => {
      seen.push(request);
      return {};
    },
    getOperation: (request) => {
      seen.push(request);
      return {};
    },
    getWallet: () => ({}),
    releaseHolds: () => ({}),
    ...implementation,
  };
  const transport = createRouterTransport((router) => void router.service(WalletService, handlers), { router: { interceptors: createInterceptors({ logger, validate }) } });
  return { client: createClient(WalletService, transport), log, seen };
}

async function failure(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new Error("the call went well");
    },
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const infos = error.findDetails(ErrorInfoSchema);
  expect(infos.map((info) => info.domain)).toEqual(["wallet.v1"]);
  const violations = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
  return { error, code: Code[error.code], sentence: error.rawMessage, reason: infos[0]?.reason, metadata: infos[0]?.metadata, fields: violations.map((violation) => violation.field), violations };
}

const good = { userId: "ann", amount: "1.50" };

async function idOf(headers: Record<string, string>): Promise<string | null> {
  let answered: string | null = null;
  let inHandler = "";
  const { client } = wallet({ addMoney: (_, context) => ((inHandler = context.values.get(requestIdKey)), {}) });
  await client.addMoney(good, { headers, onHeader: (header) => (answered = header.get("x-request-id")) });
  expect(inHandler).toBe(answered);
  return answered;
}

describe("request id", () => {
  it("is the caller's where it is harmless", async () => {
    expect(await idOf({ "x-request-id": "a".repeat(128) })).toBe("a".repeat(128));
    expect(await idOf({ "x-request-id": "trace/01:ab_c-d.e" })).toBe("trace/01:ab_c-d.e");
  });

  it.each(["", "a".repeat(129), "a b", 'a"b', "a,b", "a;b", "<a>", "${a}"])("is a new one instead of %j", async (value) => {
    expect(await idOf({ "x-request-id": value })).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is a new one for each call without", async () => {
    expect(await idOf({})).not.toBe(await idOf({}));
  });

  it("comes with errors, too", async () => {
    const { client } = wallet();
    const { error } = await failure(client.addMoney({ userId: "", amount: "1" }, { headers: { "x-request-id": "r-1" } }));
    expect(error.metadata.get("x-request-id")).toBe("r-1");
  });
});

describe("the Idempotency-Key header", () => {
  const headers = { "Idempotency-Key": "key-1" };

  it("fills the field in", async () => {
    const { client, seen } = wallet();
    await client.addMoney(good, { headers });
    expect(seen[0]?.idempotencyKey).toBe("key-1");
  });

  it("may repeat the field", async () => {
    const { client, seen } = wallet();
    await client.addMoney({ ...good, idempotencyKey: "key-1" }, { headers });
    expect(seen[0]?.idempotencyKey).toBe("key-1");
  });

  it("must not differ from the field", async () => {
    const { client, seen } = wallet();
    expect(await failure(client.addMoney({ ...good, idempotencyKey: "key-2" }, { headers }))).toMatchObject({ code: "InvalidArgument", reason: "INVALID_REQUEST", fields: ["idempotency_key"] });
    expect(seen).toEqual([]);
  });

  it("obeys the field's rule", async () => {
    const { client } = wallet();
    for (const value of ["", "a b", "k".repeat(256)]) {
      expect(await failure(client.addMoney(good, { headers: { "Idempotency-Key": value } }))).toMatchObject({ reason: "INVALID_REQUEST", fields: ["idempotency_key"] });
    }
  });

  it("is ignored where the request has no such field", async () => {
    await wallet().client.releaseHolds({}, { headers });
  });

  it("does not turn a read by id into a read by key", async () => {
    const { client, seen } = wallet();
    await client.getOperation({ operationId: 7n }, { headers });
    expect(seen[0]?.idempotencyKey).toBeUndefined();
  });
});

describe("validation", () => {
  it.each([
    ["user_id", { userId: "a b" }, "letters, digits and ._:@+-"],
    ["user_id", { userId: "" }, "1 to 128 characters"],
    ["currency", { currency: "usd" }, "upper-case"],
    ["reference", { reference: "r".repeat(257) }, "256 characters"],
    ["idempotency_key", { idempotencyKey: "" }, "visible ASCII"],
    ["related_operation_id", { relatedOperationId: 0n }, "greater than 0"],
    ["expected_version", { expectedVersion: -1n }, "greater than or equal to 0"],
    ['metadata["k"]', { metadata: { k: "v".repeat(257) } }, "256 characters"],
    ['metadata[""]', { metadata: { "": "v" } }, "the key"],
    ["metadata", { metadata: Object.fromEntries([...Array(17).keys()].map((key) => [`k${key}`, "v"])) }, "16"],
  ])("names %s and says the rule in words", async (field, fields, words) => {
    const { client, seen } = wallet();
    const refused = await failure(client.addMoney({ ...good, ...fields }));
    expect(refused).toMatchObject({ code: "InvalidArgument", reason: "INVALID_REQUEST", fields: [field] });
    expect(refused.sentence).toContain(field);
    expect(refused.sentence).toContain(words);
    expect(refused.sentence).not.toMatch(/\^\[|regex/);
    expect(seen).toEqual([]);
  });

  it.each(["", "-1", "+1", "1e2", "1,5", "1.", ".5", " 1", "1 ", "١", "NaN", "1".repeat(65)])("calls the amount %j an invalid amount", async (amount) => {
    expect(await failure(wallet().client.addMoney({ userId: "ann", amount }))).toMatchObject({ code: "InvalidArgument", reason: "INVALID_AMOUNT", fields: ["amount"] });
  });

  it("calls a balance_max an invalid amount, too", async () => {
    expect(await failure(wallet().client.initWallet({ userId: "ann", currency: "USD", balanceMax: "lots" }))).toMatchObject({ reason: "INVALID_AMOUNT", fields: ["balance_max"] });
  });

  it("tells every wrong field, and goes by the first", async () => {
    const refused = await failure(wallet().client.addMoney({ userId: "", amount: "-1", currency: "usd" }));
    expect(refused).toMatchObject({ reason: "INVALID_REQUEST", fields: ["user_id", "currency", "amount"] });
    expect(refused.sentence).toContain("and 2 more");
  });

  it("tells a bounded number of them, in bounded length", async () => {
    const metadata = Object.fromEntries([...Array(1_000).keys()].map((key) => [`${key}${"k".repeat(500)}`, "v"]));
    const refused = await failure(wallet().client.addMoney({ ...good, metadata }));
    expect(refused.fields.length).toBe(16);
    expect(JSON.stringify(refused.violations).length).toBeLessThan(8_000);
  });

  it("names the field of a rule on the whole message", async () => {
    expect(await failure(wallet().client.getOperation({}))).toMatchObject({ reason: "INVALID_REQUEST", fields: ["operation_id"] });
  });
});

describe("faults", () => {
  it("lets the service's errors pass unchanged", async () => {
    const refused = await failure(
      wallet({ addMoney: () => Promise.reject(serviceError("OVERLOADED", "Too much to do.", { metadata: { queue: "9" }, retryAfterMs: 1500 })) }).client.addMoney(good),
    );
    expect(refused).toMatchObject({ code: "ResourceExhausted", reason: "OVERLOADED", sentence: "Too much to do.", metadata: { queue: "9" } });
  });

  it.each([new Error("SELECT secret"), new ConnectError("SELECT secret", Code.DataLoss), "SELECT secret", undefined, new ConnectError("SELECT secret", Code.InvalidArgument)])(
    "makes a defect of %s: a request id, and the cause in the log",
    async (thrown) => {
      const { client, log } = wallet({
        addMoney: () => {
          throw thrown;
        },
      });
      const refused = await failure(client.addMoney(good, { headers: { "x-request-id": "r-7" } }));
      expect(refused).toMatchObject({ code: "Internal", reason: "INTERNAL", metadata: { request_id: "r-7" } });
      expect(refused.sentence).not.toContain("SELECT");
      const line = log.find((each) => each["level"] === 50);
      expect(line).toMatchObject({ requestId: "r-7", method: "wallet.v1.WalletService/AddMoney" });
      if (thrown !== undefined) expect(JSON.stringify(line)).toContain("SELECT");
    },
  );

  it.each([
    [Code.Canceled, "CANCELED"],
    [Code.DeadlineExceeded, "DEADLINE_EXCEEDED"],
    [Code.Unimplemented, "UNKNOWN_METHOD"],
  ])("gives Connect's own code %s its reason", async (code, reason) => {
    const refused = await failure(wallet({ addMoney: () => Promise.reject(new ConnectError("x", code)) }).client.addMoney(good));
    expect(refused).toMatchObject({ code: Code[code], reason });
  });

  it("says what this version does not serve", async () => {
    expect(await failure(wallet().client.freezeWallet({ userId: "ann" }))).toMatchObject({ code: "Unimplemented", reason: "UNKNOWN_METHOD" });
  });
});

describe("the log", () => {
  const secret = { userId: "ann", amount: "1.50", reference: "secret-reference", metadata: { note: "secret-note" }, idempotencyKey: "secret-key" };

  it("has one line for a mutating call, at info, with nothing of the request in it", async () => {
    const { client, log } = wallet({}, "info");
    await client.addMoney(secret, { headers: { "x-request-id": "r-1", authorization: "Bearer secret-token" } });
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ level: 30, method: "wallet.v1.WalletService/AddMoney", requestId: "r-1", code: "OK" });
    expect(typeof log[0]?.["durationMs"]).toBe("number");
    expect(JSON.stringify(log)).not.toMatch(/secret|ann|1\.50/);
  });

  it("has the reason of a refused one", async () => {
    const { client, log } = wallet({}, "info");
    await failure(client.addMoney({ ...secret, amount: "-1" }));
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ level: 30, code: "InvalidArgument", reason: "INVALID_AMOUNT" });
    expect(JSON.stringify(log)).not.toContain("secret");
  });

  it("has reads at debug only", async () => {
    const quiet = wallet({}, "info");
    await quiet.client.getWallet({ userId: "ann" });
    expect(quiet.log).toEqual([]);
    const loud = wallet({}, "debug");
    await loud.client.getWallet({ userId: "ann" });
    expect(loud.log[0]).toMatchObject({ level: 20, method: "wallet.v1.WalletService/GetWallet", code: "OK" });
  });
});
