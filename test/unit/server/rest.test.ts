// The REST paths, rule by rule: what the original's clients send is understood, and what is ambiguous is refused with the field's name.

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import { ReportService } from "../../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { restRoutes } from "../../../src/server/rest-routes.ts";
import { errorIn, http1 } from "./raw-call.ts";
import type { RawAnswer } from "./raw-call.ts";
import { factsOf, startTestServer, stopServers, testLimits } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(stopServers);

const json = { "content-type": "application/json" };

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = json) => http1(`${server.url}${path}`, { method: "POST", headers, body });
const get = (path: string, body?: string, headers: Record<string, string> = json) =>
  http1(`${server.url}${path}`, body === undefined ? {} : { method: "GET", headers: { ...headers, "content-length": String(Buffer.byteLength(body)) }, body });

/** What the handler was given last. */
function seen() {
  return server.seen.at(-1)!.message;
}

function expectRefused(answer: RawAnswer, reason: string, ...fields: string[]) {
  const error = errorIn("connect json", answer);
  expect({ text: answer.text, ...factsOf(error!) }).toMatchObject({ reasons: [reason], domains: ["wallet.v1"], fields });
  expect(answer.headers["content-type"]).toBe("application/json");
  return error!;
}

describe("the declared paths", () => {
  it.each([
    ["POST", "/wallet/init", '{"user_id":"ann","currency":"USD"}', 201],
    ["POST", "/wallet/add_money", '{"user_id":"ann","amount":"1.50"}', 200],
    ["POST", "/wallet/hold_money", '{"user_id":"ann","amount":"1.50"}', 200],
    ["POST", "/wallet/release_hold", "{}", 200],
    ["POST", "/wallet/reverse_hold", '{"user_id":"ann","hold_id":"7"}', 200],
    ["GET", "/report/wallet_balance?user_id=ann", undefined, 200],
    ["GET", "/report/hold_report", undefined, 200],
    ["GET", "/report/wallet_operation_report", undefined, 200],
  ])("%s %s", async (method, path, body, status) => {
    const answer = method === "POST" ? await post(path, body!) : await get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["x-request-id"]).toBeDefined();
  });

  it("are all that the protos declare", () => {
    const declared = [WalletService, ReportService].flatMap((service) => service.methods).filter((method) => hasOption(method, http));
    expect(restRoutes([WalletService, ReportService]).size).toBe(declared.length);
    expect(getOption(WalletService.method.initWallet, http).pattern).toEqual({ case: "post", value: "/wallet/init" });
  });

  it("answer the RPC's own JSON", async () => {
    const body = '{"user_id":"ann","amount":"1.50"}';
    const rest = await post("/wallet/add_money", body);
    const rpc = await post("/wallet.v1.WalletService/AddMoney", body);
    expect(rest.text).toBe(rpc.text);
  });

  it("give the handler's errors with Connect's HTTP status and JSON", async () => {
    const answer = await post("/wallet/add_money", '{"user_id":"poor","amount":"1.50"}');
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: "failed_precondition", message: "There is not enough." });
    expectRefused(answer, "INSUFFICIENT_FUNDS");
  });

  it("do not tell 201 where the wallet was not opened", async () => {
    expect((await post("/wallet/init", '{"user_id":"a b","currency":"USD"}')).status).toBe(400);
  });

  it("belong to one HTTP method, which the error names", async () => {
    const answer = await get("/wallet/init");
    expect(answer.status).toBe(501);
    expect(answer.headers["allow"]).toBe("POST");
    expect(expectRefused(answer, "UNKNOWN_METHOD").rawMessage).toContain("POST");
    expect((await post("/report/hold_report", "{}")).headers["allow"]).toBe("GET");
  });

  it.each(["/", "/wallet", "/wallet/init/", "/wallet//init", "/wallet/%69nit", "/WALLET/INIT", "/../etc/passwd", "/wallet/init;x", "//"])("leave %s unknown", async (path) => {
    const answer = await post(path, "{}");
    expect(answer.status).toBe(501);
    expectRefused(answer, "UNKNOWN_METHOD");
  });
});

describe("names and numbers", () => {
  it("takes snake_case and camelCase", async () => {
    await post("/wallet/reverse_hold", '{"userId":"ann","holdId":"7","idempotency_key":"k"}');
    expect(seen()).toMatchObject({ userId: "ann", holdId: 7n, idempotencyKey: "k" });
  });

  it("takes numbers where the proto has strings, digit by digit", async () => {
    await post("/wallet/add_money", '{"user_id": 1, "amount": 100.50, "reference": 12345678901234567890.10}');
    expect(seen()).toMatchObject({ userId: "1", amount: "100.50", reference: "12345678901234567890.10" });
  });

  it("takes numbers in maps of strings", async () => {
    await post("/wallet/add_money", '{"user_id": 1, "amount": 1, "metadata": {"order": 17, "__proto__": 5}}');
    expect(Object.entries(seen()["metadata"] as object)).toEqual(expect.arrayContaining([["order", "17"]]));
  });

  it("takes 64-bit integers beyond what a double can hold", async () => {
    await post("/wallet/reverse_hold", '{"user_id":"ann","hold_id":9007199254740993}');
    expect(seen()).toMatchObject({ holdId: 9007199254740993n });
  });

  it.each(["1e2", "1E+2", "1.5e1"])("refuses the exponent of %s", async (literal) => {
    const error = expectRefused(await post("/wallet/add_money", `{"user_id":"ann","amount":${literal}}`), "INVALID_REQUEST", "amount");
    expect(error.rawMessage).toContain("exponent");
  });

  it("leaves a number's sign to the field's rule", async () => {
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":-5}'), "INVALID_AMOUNT", "amount");
  });

  it("takes nothing else for a string", async () => {
    expectRefused(await post("/wallet/add_money", '{"user_id":true,"amount":"1"}'), "INVALID_REQUEST", "user_id");
    expectRefused(await post("/wallet/add_money", '{"user_id":["ann"],"amount":"1"}'), "INVALID_REQUEST", "user_id");
  });

  it("takes null for absent", async () => {
    await post("/wallet/add_money", '{"user_id":"ann","amount":"1","currency":null}');
    expect(seen()["currency"]).toBeUndefined();
  });

  it("takes durations and timestamps in their JSON form", async () => {
    await post("/wallet/hold_money", '{"user_id":"ann","amount":"1","hold_period":"600s"}');
    expect(seen()).toMatchObject({ holdPeriod: { seconds: 600n } });
    expectRefused(await post("/wallet/hold_money", '{"user_id":"ann","amount":"1","hold_period":"long"}'), "INVALID_REQUEST", "hold_period");
    for (const period of ['600', '"1s1s"', '"0.0000000001s"']) {
      expectRefused(await post("/wallet/hold_money", `{"user_id":"ann","amount":"1","hold_period":${period}}`), "INVALID_REQUEST", "hold_period");
    }
    expect((await post("/wallet/hold_money", '{"user_id":"ann","amount":"1","hold_period":"1.5s"}')).status).toBe(200);
  });
});

describe("bodies", () => {
  it.each(["", " \n"])("takes %j for no fields", async (body) => {
    expect((await post("/wallet/release_hold", body)).status).toBe(200);
    expect((await post("/wallet/release_hold", body, {})).status).toBe(200);
  });

  it.each(["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", "application/x-www-form-urlencoded", undefined])("takes JSON as %s", async (type) => {
    const answer = await post("/wallet/add_money", '{"user_id":"ann","amount":"1"}', type === undefined ? {} : { "content-type": type });
    expect(answer.status).toBe(200);
  });

  it.each(["text/plain", "application/xml", "application/json; charset=latin1", "multipart/form-data; boundary=x"])("refuses %s", async (type) => {
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":"1"}', { "content-type": type }), "INVALID_REQUEST", "content-type");
  });

  it.each([{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }])("takes only application/json from a browser: %j", async (headers) => {
    const before = server.seen.length;
    for (const type of [{ "content-type": "application/x-www-form-urlencoded" }, {}]) {
      expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":"1"}', { ...type, ...headers }), "INVALID_REQUEST", "content-type");
    }
    expect(server.seen.length).toBe(before);
    expect((await post("/wallet/add_money", '{"user_id":"ann","amount":"1"}', { ...json, ...headers })).status).toBe(200);
  });

  it.each(["{", "[]", '"x"', "5", "null", "user_id=ann&amount=1", '{"user_id":"ann",}'])("refuses %s", async (body) => {
    const error = expectRefused(await post("/wallet/add_money", body), "INVALID_REQUEST");
    expect(error.rawMessage).not.toContain("google.protobuf");
  });

  it("refuses an unknown field by its name", async () => {
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amonut":"1"}'), "INVALID_REQUEST", "amonut");
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":"1","__proto__":{"x":1}}'), "INVALID_REQUEST", "__proto__");
  });

  it("refuses a field that comes twice", async () => {
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":"1","amount":"2"}'), "INVALID_REQUEST", "amount");
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","userId":"bob","amount":"1"}'), "INVALID_REQUEST", "user_id");
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":"1","metadata":{"a":"1","a":"2"}}'), "INVALID_REQUEST", "a");
  });

  it("refuses a body that is too large, also by its decompressed size", async () => {
    expectRefused(await post("/wallet/add_money", Buffer.alloc(testLimits.requestMaxBytes + 1, 0x20)), "MESSAGE_TOO_LARGE");
    expectRefused(await post("/wallet/add_money", gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20)), { ...json, "content-encoding": "gzip" }), "MESSAGE_TOO_LARGE");
  });

  it("takes a gzipped body", async () => {
    expect((await post("/wallet/add_money", gzipSync('{"user_id":"ann","amount":"1"}'), { ...json, "content-encoding": "gzip" })).status).toBe(200);
    expectRefused(await post("/wallet/add_money", "{}", { ...json, "content-encoding": "gzip" }), "INVALID_REQUEST");
    expectRefused(await post("/wallet/add_money", "{}", { ...json, "content-encoding": "br" }), "UNKNOWN_METHOD");
  });

  it("refuses bytes that are no UTF-8", async () => {
    expectRefused(await post("/wallet/add_money", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), "INVALID_REQUEST");
  });

  it("survives JSON that is nested without end", async () => {
    const deep = await startTestServer({ requestMaxBytes: 4 * 1024 * 1024 });
    const send = (body: string) => http1(`${deep.url}/wallet/add_money`, { method: "POST", headers: json, body });
    expectRefused(await send(`{"metadata":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`), "INVALID_REQUEST");
    expectRefused(await send(`{"metadata":${'{"a":'.repeat(300_000)}1${"}".repeat(300_000)}}`), "INVALID_REQUEST");
  });
});

describe("fields from the query", () => {
  it("takes a GET's fields from the query", async () => {
    await get("/report/wallet_balance?user_id=ann%40x&currency=USD&as_of_time=2026-01-02T03:04:05Z");
    expect(seen()).toMatchObject({ userId: "ann@x", currency: "USD", asOf: { case: "asOfTime", value: { seconds: 1767323045n } } });
    await get("/report/wallet_balance?userId=ann&asOfOperationId=9007199254740993");
    expect(seen()).toMatchObject({ asOf: { case: "asOfOperationId", value: 9007199254740993n } });
  });

  it("takes a GET's fields from a JSON body", async () => {
    await get("/report/wallet_balance", '{"user_id":1}');
    expect(seen()).toMatchObject({ userId: "1" });
    await get("/report/wallet_balance", '{"user_id":"ann"}', {});
    expect(seen()).toMatchObject({ userId: "ann" });
  });

  it("takes both where they say the same", async () => {
    expect((await get("/report/wallet_balance?user_id=1&currency=USD", '{"userId":1,"currency":"USD"}')).status).toBe(200);
    expect(seen()).toMatchObject({ userId: "1", currency: "USD" });
    await get("/report/wallet_balance?user_id=ann", '{"currency":"USD","user_id":null}');
    expect(seen()).toMatchObject({ userId: "ann", currency: "USD" });
  });

  it("refuses both where they differ", async () => {
    expectRefused(await get("/report/wallet_balance?user_id=ann", '{"user_id":"bob"}'), "INVALID_REQUEST", "user_id");
    expectRefused(await get("/report/wallet_balance?userId=1", '{"user_id":2}'), "INVALID_REQUEST", "user_id");
    expectRefused(await get("/report/wallet_balance?user_id=1", '{"user_id":{}}'), "INVALID_REQUEST", "user_id");
  });

  it("refuses a parameter that comes twice and differs", async () => {
    expectRefused(await get("/report/wallet_balance?user_id=ann&user_id=bob"), "INVALID_REQUEST", "user_id");
    expectRefused(await get("/report/wallet_balance?user_id=ann&userId=bob"), "INVALID_REQUEST", "user_id");
    expect((await get("/report/wallet_balance?user_id=ann&userId=ann")).status).toBe(200);
  });

  it("refuses unknown parameters and wrong forms by name", async () => {
    expectRefused(await get("/report/wallet_balance?user_id=ann&color=red"), "INVALID_REQUEST", "color");
    expectRefused(await get("/report/wallet_balance?user_id=ann&__proto__=red"), "INVALID_REQUEST", "__proto__");
    expectRefused(await get("/report/wallet_balance?user_id=ann&as_of_operation_id=one"), "INVALID_REQUEST", "as_of_operation_id");
    expectRefused(await get("/report/wallet_balance?user_id=ann&as_of_time=yesterday"), "INVALID_REQUEST", "as_of_time");
    expectRefused(await get("/report/wallet_balance?user_id=a+b"), "INVALID_REQUEST", "user_id");
    expectRefused(await get("/report/wallet_balance"), "INVALID_REQUEST", "user_id");
  });

  it("refuses a POST's query: what moves money belongs into the body", async () => {
    expectRefused(await post("/wallet/add_money?user_id=ann&amount=1", ""), "INVALID_REQUEST", "user_id");
    expectRefused(await post("/wallet/add_money?user_id=ann", '{"user_id":"ann","amount":1}'), "INVALID_REQUEST", "user_id");
    expectRefused(await post("/wallet/add_money?nonsense=1", '{"user_id":"ann","amount":1}'), "INVALID_REQUEST", "nonsense");
  });
});

describe("headers", () => {
  it("passes the idempotency key on", async () => {
    await post("/wallet/add_money", '{"user_id":"ann","amount":1}', { ...json, "Idempotency-Key": "key-1" });
    expect(seen()).toMatchObject({ idempotencyKey: "key-1" });
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":1,"idempotency_key":"key-2"}', { ...json, "Idempotency-Key": "key-1" }), "INVALID_REQUEST", "idempotency_key");
  });

  it("passes the deadline on, clamped", async () => {
    await post("/wallet/add_money", '{"user_id":"ann","amount":1}', { ...json, "connect-timeout-ms": "20000" });
    expect(server.seen.at(-1)!.timeoutMs).toBeLessThanOrEqual(20_000);
    expect((await post("/wallet/add_money", '{"user_id":"ann","amount":1}', { ...json, "connect-timeout-ms": "9999999999" })).status).toBe(200);
    expectRefused(await post("/wallet/add_money", '{"user_id":"ann","amount":1}', { ...json, "connect-timeout-ms": "soon" }), "INVALID_REQUEST", "connect-timeout-ms");
  });

  it("passes the request id on and back", async () => {
    const answer = await post("/wallet/add_money", '{"user_id":"ann","amount":1}', { ...json, "x-request-id": "rest-17" });
    expect(answer.headers["x-request-id"]).toBe("rest-17");
    expect(server.log.some((line) => line["requestId"] === "rest-17" && line["method"] === "wallet.v1.WalletService/AddMoney")).toBe(true);
  });
});

describe("plain pages", () => {
  it("say that the process lives, and whether it takes requests", async () => {
    expect((await get("/healthz")).status).toBe(200);
    const ready = await get("/readyz");
    expect([ready.status, ready.json()]).toEqual([200, { ready: true, durable: true }]);
    server.ready = false;
    const unready = await get("/readyz");
    expect([unready.status, unready.json()]).toEqual([503, { ready: false, durable: true }]);
    expect((await get("/healthz")).status).toBe(200);
    server.ready = true;
  });

  it("answer HEAD without a body and refuse the rest", async () => {
    const head = await http1(`${server.url}/readyz`, { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    const answer = await post("/readyz", "{}");
    expect(answer.headers["allow"]).toBe("GET, HEAD");
    expectRefused(answer, "UNKNOWN_METHOD");
  });
});
