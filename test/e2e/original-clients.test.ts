// The eight paths as clients of the original Flask service use them: numbers where ours are strings, bodies on a GET, no body, no content type.

import type { JsonObject } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refused } from "../support/clients/client.ts";
import { httpCall, restPaths, type HttpAnswer } from "../support/clients/rest.ts";
import { startService, type Service } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.remove();
  expect(service.complaints).toEqual([]);
});

/** What the wire shows. */
interface Seen {
  readonly status: number;
  readonly headers: HttpAnswer["headers"];
  readonly json: Record<string, unknown>;
}

interface Sent {
  readonly type?: string | undefined;
  readonly headers?: Record<string, string>;
}

const json = "application/json";
/** What `curl -d` says of any body. */
const form = "application/x-www-form-urlencoded";

async function send(method: string, path: string, body?: string, { type = json, headers = {} }: Sent = {}): Promise<Seen> {
  const typed: Record<string, string> = type === "" ? {} : { "content-type": type };
  const answer = await httpCall(`${service.url}${path}`, { method, headers: { ...typed, ...headers }, body });
  expect(answer.headers["content-type"]).toBe(json);
  return { status: answer.status, headers: answer.headers, json: JSON.parse(answer.body.toString()) as Record<string, unknown> };
}

const post = (path: string, body?: string, sent?: Sent): Promise<Seen> => send("POST", path, body, sent);
const get = (path: string, body?: string, sent?: Sent): Promise<Seen> => send("GET", path, body, sent);

let lastUser = 1_000;
/** A new user, whose id is a number as the original's were, with a wallet. */
async function newUser(currency = "INR"): Promise<number> {
  lastUser += 1;
  expect((await post("/wallet/init", `{"user_id": ${lastUser}, "currency": "${currency}"}`)).status).toBe(201);
  return lastUser;
}

async function availableOf(user: number): Promise<unknown> {
  return (await get(`/report/wallet_balance?user_id=${user}`)).json["available"];
}

function reasonOf({ json: error }: Seen): string {
  const result = refused(errorFromJson(error as JsonObject, undefined, new ConnectError(`no error of Connect: ${JSON.stringify(error)}`)));
  return result.ok ? "none" : result.error.reason;
}

describe("the original's first session", () => {
  test("a wallet is made, filled, held from, and reported on, with numbers throughout", async () => {
    const made = await post("/wallet/init", '{"user_id": 1, "currency": "INR"}');
    expect(made).toMatchObject({ status: 201, json: { wallet: { userId: "1", currency: "INR", balance: { available: "0.00", held: "0.00", total: "0.00" }, version: "1" }, replayed: false } });
    expect(await post("/wallet/add_money", '{"user_id": 1, "amount": 100.5}')).toMatchObject({ status: 200, json: { operation: { amount: "100.50" }, wallet: { balance: { available: "100.50" } } } });
    const held = await post("/wallet/hold_money", '{"user_id": 1, "amount": 40}');
    expect(held).toMatchObject({ status: 200, json: { hold: { status: "HOLD_STATUS_ACTIVE", amount: "40.00" }, wallet: { balance: { available: "60.50", held: "40.00" } } } });
    const { holdId } = held.json["hold"] as { holdId: string };
    expect(await post("/wallet/reverse_hold", `{"user_id": 1, "hold_id": ${holdId}}`)).toMatchObject({ status: 200, json: { hold: { status: "HOLD_STATUS_REVERSED" } } });
    expect(await get("/report/wallet_balance", '{"user_id": 1}')).toMatchObject({ status: 200, json: { available: "100.50", held: "0.00", total: "100.50", version: "4" } });
    expect(await get("/report/hold_report", '{"user_id": 1}')).toMatchObject({ status: 200, json: { active: { count: "0" }, reversed: { count: "1", amounts: [{ currency: "INR", amount: "40.00" }] } } });
    expect(await get("/report/wallet_operation_report", '{"user_id": 1}')).toMatchObject({ status: 200, json: { adds: { count: "1" }, holds: { count: "1" }, reversals: { count: "1" } } });
  });

  test("the answer is the RPC's own", async () => {
    const user = await newUser();
    const path = await get("/report/wallet_balance", `{"user_id": ${user}}`);
    const rpc = await post("/wallet.v1.ReportService/GetWalletBalance", `{"user_id": "${user}"}`);
    expect(JSON.stringify(path.json)).toBe(JSON.stringify(rpc.json));
  });
});

describe("an amount that is a number counts by the digits that were written", () => {
  test.each([
    ["100.5", "100.50"],
    ["100.50", "100.50"],
    ["0.1", "0.10"],
    ["1", "1.00"],
    ["0.29", "0.29"],
    ["1.10", "1.10"],
    ["12345678901234567.89", "12345678901234567.89"],
    ["92233720368547758.07", "92233720368547758.07"],
    ["9007199254740993", "9007199254740993.00"],
  ])("%s adds %s", async (literal, available) => {
    const user = await newUser();
    expect((await post("/wallet/add_money", `{"user_id": ${user}, "amount": ${literal}}`)).status).toBe(200);
    expect(await availableOf(user)).toBe(available);
  });

  test("0.1 and 0.2 make 0.30", async () => {
    const user = await newUser();
    for (const literal of ["0.1", "0.2"]) await post("/wallet/add_money", `{"user_id": ${user}, "amount": ${literal}}`);
    expect(await availableOf(user)).toBe("0.30");
  });

  test.each([
    ["1e2", "INVALID_REQUEST"],
    ["1E2", "INVALID_REQUEST"],
    ["1.5e1", "INVALID_REQUEST"],
    ["0.30000000000000004", "AMOUNT_TOO_PRECISE"],
    ["100.555", "AMOUNT_TOO_PRECISE"],
    ["-5", "INVALID_AMOUNT"],
    ["0", "INVALID_AMOUNT"],
    ["-0", "INVALID_AMOUNT"],
    ["0.0", "INVALID_AMOUNT"],
    ["92233720368547758.08", "AMOUNT_OUT_OF_RANGE"],
    ["true", "INVALID_REQUEST"],
    ["[5]", "INVALID_REQUEST"],
    ["NaN", "INVALID_REQUEST"],
    ["Infinity", "INVALID_REQUEST"],
    ["05", "INVALID_REQUEST"],
    ["+5", "INVALID_REQUEST"],
    [".5", "INVALID_REQUEST"],
  ])("%s is refused, %s", async (literal, reason) => {
    const user = await newUser();
    const refusal = await post("/wallet/add_money", `{"user_id": ${user}, "amount": ${literal}}`);
    expect({ status: refusal.status, code: refusal.json["code"], reason: reasonOf(refusal) }).toEqual({ status: 400, code: "invalid_argument", reason });
    expect(await availableOf(user)).toBe("0.00");
  });

  test.each(["1e3", "1.0E3"])("a user %s is refused: two ways of writing one number would be two users", async (literal) => {
    const refusal = await post("/wallet/init", `{"user_id": ${literal}, "currency": "INR"}`);
    expect({ status: refusal.status, reason: reasonOf(refusal) }).toEqual({ status: 400, reason: "INVALID_REQUEST" });
  });

  test("a number and its text are the same user, the same hold and the same request under a key", async () => {
    const user = await newUser();
    const first = await post("/wallet/add_money", `{"user_id": ${user}, "amount": 5.0}`, { headers: { "idempotency-key": "k" } });
    const again = await post("/wallet/add_money", `{"user_id": "${user}", "amount": "5.00"}`, { headers: { "Idempotency-Key": "k" } });
    expect(again.json).toEqual({ ...first.json, replayed: true });
    const held = await post("/wallet/hold_money", `{"userId": ${user}, "amount": 5}`);
    const { holdId } = held.json["hold"] as { holdId: string };
    expect((await post("/wallet/reverse_hold", `{"user_id": "${user}", "holdId": "${holdId}"}`)).status).toBe(200);
  });
});

describe("a GET's fields come from the query, from a JSON body, or from both", () => {
  test.each<[string, (user: number) => [path: string, body?: string], Sent?]>([
    ["query", (user) => [`/report/wallet_balance?user_id=${user}&currency=INR`]],
    ["query in camelCase", (user) => [`/report/wallet_balance?userId=${user}`]],
    ["body", (user) => ["/report/wallet_balance", `{"user_id": ${user}}`]],
    ["body without a content type", (user) => ["/report/wallet_balance", `{"user_id": ${user}}`], { type: "" }],
    ["body as curl sends it", (user) => ["/report/wallet_balance", `{"user_id": ${user}}`], { type: form }],
    ["half of each", (user) => [`/report/wallet_balance?currency=INR`, `{"user_id": ${user}}`]],
    ["the same in both", (user) => [`/report/wallet_balance?user_id=${user}`, `{"user_id": ${user}}`]],
    ["query and an empty body", (user) => [`/report/wallet_balance?user_id=${user}`, "{}"]],
  ])("%s", async (_, requestOf, sent) => {
    const user = await newUser();
    const [path, body] = requestOf(user);
    expect(await get(path, body, sent)).toMatchObject({ status: 200, json: { userId: `${user}`, currency: "INR", available: "0.00" } });
  });

  test.each([
    ["both and different", "/report/wallet_balance?user_id=1", '{"user_id": 2}'],
    ["twice in the query", "/report/wallet_balance?user_id=1&user_id=2", undefined],
    ["an unknown field", "/report/wallet_balance?user_id=1&colour=red", undefined],
    ["no user", "/report/wallet_balance", undefined],
  ])("%s is refused", async (_, path, body) => {
    const refusal = await get(path, body);
    expect({ status: refusal.status, reason: reasonOf(refusal) }).toEqual({ status: 400, reason: "INVALID_REQUEST" });
  });

  test("the reports on everybody need nothing at all", async () => {
    for (const path of ["/report/hold_report", "/report/wallet_operation_report"]) {
      expect((await get(path, undefined, { type: "" })).status).toBe(200);
      expect((await get(path, "{}")).status).toBe(200);
    }
  });
});

describe("release_hold as a timer calls it", () => {
  test.each<[string, string | undefined, Sent]>([
    ["no body, no content type", undefined, { type: "" }],
    ["no body, JSON announced", undefined, {}],
    ["an empty body", "", {}],
    ["an empty object", "{}", {}],
    ["an empty form", "", { type: form }],
    ["one user, as curl sends it", '{"user_id": 1}', { type: form }],
  ])("%s", async (_, body, sent) => {
    expect(await post("/wallet/release_hold", body, sent)).toMatchObject({ status: 200, json: { releasedCount: 0, releasedAmounts: [], moreRemain: false } });
  });

  test("it releases what is due, of all users", async () => {
    const users = [await newUser(), await newUser("USD")];
    for (const user of users) {
      await post("/wallet/add_money", `{"user_id": ${user}, "amount": 2.5}`);
      await post("/wallet/hold_money", `{"user_id": ${user}, "amount": 2.5, "hold_period": "0.001s"}`);
    }
    // The ledger's clock counts milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const amounts = [{ currency: "INR", amount: "2.50" }, { currency: "USD", amount: "2.50" }];
    expect((await post("/wallet/release_hold", undefined, { type: "" })).json).toEqual({ releasedCount: 2, releasedAmounts: amounts, moreRemain: false });
    for (const user of users) expect(await availableOf(user)).toBe("2.50");
  });
});

describe("what a client says of its body", () => {
  test.each([["application/json"], ["application/json; charset=utf-8"], ["Application/JSON"], [""], [form]])("%j is taken for JSON", async (type) => {
    const user = await newUser();
    expect((await post("/wallet/add_money", `{"user_id": ${user}, "amount": 1}`, { type })).status).toBe(200);
  });

  test.each([["text/plain"], ["application/xml"], ["multipart/form-data; boundary=x"], ["application/json; charset=latin1"]])("%j is refused", async (type) => {
    const user = await newUser();
    const refusal = await post("/wallet/add_money", `{"user_id": ${user}, "amount": 1}`, { type });
    expect({ status: refusal.status, reason: reasonOf(refusal) }).toEqual({ status: 400, reason: "INVALID_REQUEST" });
    expect(await availableOf(user)).toBe("0.00");
  });

  test("a form's own fields are no JSON", async () => {
    const refusal = await post("/wallet/add_money", "user_id=1&amount=5", { type: form });
    expect({ status: refusal.status, reason: reasonOf(refusal) }).toEqual({ status: 400, reason: "INVALID_REQUEST" });
  });
});

describe("what is not there", () => {
  test.each(["/", "/wallet", "/wallet/", "/wallet/init/", "/wallet/withdraw", "/WALLET/INIT", "/report/everything", "//wallet/init"])("%s", async (path) => {
    const refusal = await post(path, "{}");
    expect({ status: refusal.status, code: refusal.json["code"], reason: reasonOf(refusal) }).toEqual({ status: 501, code: "unimplemented", reason: "UNKNOWN_METHOD" });
  });

  test.each(Object.values(restPaths))("%s by another method says which one is right", async (route) => {
    const [right = "", path = ""] = route.split(" ");
    for (const wrong of ["GET", "POST", "PUT", "DELETE", "PATCH"].filter((method) => method !== right)) {
      const refusal = await send(wrong, path, wrong === "GET" ? undefined : "{}");
      expect({ wrong, status: refusal.status, allow: refusal.headers["allow"], reason: reasonOf(refusal) }).toEqual({ wrong, status: 501, allow: right, reason: "UNKNOWN_METHOD" });
    }
  });
});
