// The scenarios come out as their table says, and the same over every way in.

import { Code } from "@connectrpc/connect";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { errorTable } from "../../src/api/errors.ts";
import { services, type CallResult } from "../support/clients/client.ts";
import { connectClient } from "../support/clients/connect.ts";
import { restPaths } from "../support/clients/rest.ts";
import { otherWays, plainWay } from "../support/clients/ways.ts";
import { notProvoked, scenarioFlags, scenarios } from "./scenarios.ts";
import type { CallStep, Step } from "./steps.ts";
import { record, type Transcript } from "./transcript.ts";

const wayNames = otherWays.map((open) => open({ address: "127.0.0.1:1", url: "http://127.0.0.1:1" } as never)).map((client) => (client.close(), client.name));
const scenarioNames = scenarios.map(({ name }) => name);

let plain: Transcript;
let others: Transcript[];
beforeAll(async () => {
  [plain, ...others] = (await Promise.all([plainWay, ...otherWays].map((open) => record(open, scenarios, scenarioFlags)))) as [Transcript, ...Transcript[]];
});

describe("as the table says", () => {
  test.each(scenarioNames)("%s", (name) => {
    for (const [index, { step, result, outcome }] of plain.scenarios.get(name)!.entries()) {
      const where = `step ${index + 1}: ${titleOf(step)}`;
      if ("pauseMs" in step) continue;
      if ("flood" in step) {
        const [done, ...turnedAway] = result as CallResult[];
        expect(done, where).toMatchObject({ ok: true });
        for (const each of turnedAway) expect(each, where).toMatchObject({ ok: false, error: { reason: "OVERLOADED", retryDelay: "1s" } });
        expect(turnedAway.length, where).toBe(step.times - 1);
        continue;
      }
      if ("answer" in outcome!) {
        expect(result, where).toMatchObject({ ok: true, response: outcome.answer });
        for (const path of outcome.without) expect(result, where).not.toHaveProperty(["response", ...path.split(".")]);
        continue;
      }
      const { reason, metadata, fields } = outcome!;
      expect(result, where).toMatchObject({ ok: false, error: { code: Code[errorTable[reason].code], reason, metadata } });
      const { violations, message } = (result as CallResult & { ok: false }).error;
      expect(violations.map((violation) => violation.field), where).toEqual(fields);
      expect(message, where).toMatch(/\S+ \S+/);
    }
  });
});

describe.each(wayNames.map((name, index) => [name, index] as const))("the same by %s", (_, index) => {
  test.each(scenarioNames)("%s", (name) => {
    expect(others[index]!.scenarios.get(name)).toEqual(plain.scenarios.get(name));
  });
});

describe("the table", () => {
  const calls = scenarios.flatMap(({ steps }) => steps).flatMap((step): CallStep[] => ("flood" in step ? [step.flood] : "pauseMs" in step ? [] : [step]));

  test("meets every reason, or says why it cannot be met", () => {
    const met = new Set(calls.flatMap(({ outcome }) => ("reason" in outcome ? [outcome.reason] : [])));
    expect([...met, ...Object.keys(notProvoked)].toSorted()).toEqual(Object.keys(errorTable).toSorted());
  });

  test("calls every RPC of the protos with success", () => {
    const answered = new Set(calls.flatMap(({ method, outcome }) => ("answer" in outcome ? [method] : [])));
    const declared = services.flatMap((service) => service.methods.map((method) => method.name));
    expect([...answered].toSorted()).toEqual(declared.toSorted());
  });

  test("goes through each way's own door", () => {
    const called = [...new Set(calls.filter(({ isSetup }) => !isSetup).map(({ method }) => method))].toSorted();
    const reads = services.flatMap((service) => service.methods.filter((method) => method.methodKind === "unary" && /^(Get|List|Verify)/.test(method.name))).map((method) => method.name);
    const declared = called.filter((method) => method !== "StealMoney");
    for (const { way, own } of others) {
      const expected = way.startsWith("REST") ? Object.keys(restPaths) : way.startsWith("Connect GET") ? reads : way.startsWith("buf") ? declared : called;
      expect([...own].toSorted(), way).toEqual([...expected].toSorted());
    }
  });
});

test("Connect GET goes by GET", async () => {
  const seen: unknown[] = [];
  const server1 = createHttp1Server((request, response) => void response.end(String(seen.push(request.method))));
  const server2 = createHttp2Server((request, response) => void response.end(String(seen.push(request.method))));
  for (const [http, server] of [["HTTP/1.1", server1], ["HTTP/2", server2]] as const) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connectClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, { protocol: "Connect GET", codec: "JSON", http });
    await client.call("WalletService", "GetWallet", { user_id: "ann" }).catch(() => undefined);
    client.close();
    server.close();
  }
  expect(seen).toEqual(["GET", "GET"]);
});

test("REST answers with the HTTP status that Connect gives the code, and 201 where a wallet was made", () => {
  const seen = others.flatMap(({ statuses }) => statuses);
  expect(seen.length).toBeGreaterThan(0);
  for (const { method, code, status } of seen) {
    const right = code === "OK" ? (method === "InitWallet" ? 201 : 200) : codeToHttpStatus(Code[code as keyof typeof Code]);
    expect({ method, code, status }).toEqual({ method, code, status: right });
  }
});

test("the service logs nothing but the refused work as a trouble of its own", () => {
  for (const { way, complaints } of [plain, ...others]) {
    expect(complaints.filter((line) => !line.includes("QueueFull")), way).toEqual([]);
  }
});

function titleOf(step: Step): string {
  if ("pauseMs" in step) return `${step.pauseMs} ms pass`;
  const { method, request } = "flood" in step ? step.flood : step;
  return `${method} ${JSON.stringify(request)}`;
}
