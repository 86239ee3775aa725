// A real server on a free port with a small implementation of the services, for the tests of the network side.

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import { pino } from "pino";
import { ErrorInfoSchema, BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ReportService } from "../../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { serviceError } from "../../../src/api/errors.ts";
import { createAroundUnary, createInterceptors } from "../../../src/api/interceptors.ts";
import { createRequestValidator } from "../../../src/api/validation.ts";
import { startServer } from "../../../src/server/server.ts";
import type { RunningServer, ServerLimits } from "../../../src/server/server.ts";

export const testLimits: ServerLimits = {
  requestMaxBytes: 64 * 1024,
  responseMaxBytes: 1024 * 1024,
  timeoutMaxMs: 30_000,
  connectionsMax: 1_000,
  streamsPerConnectionMax: 100,
  headerMaxBytes: 16 * 1024,
  firstByteTimeoutMs: 5_000,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
  drainTimeoutMs: 5_000,
};

export interface TestServer extends RunningServer {
  readonly url: string;
  /** Lines that were logged, as objects. */
  readonly log: Record<string, unknown>[];
  /** What the handlers saw, in order. */
  readonly seen: Seen[];
  ready: boolean;
  /** Calls with user "wait" are answered when this is called; until then they are under way. */
  readonly gate: Gate;
}

interface Seen {
  method: string;
  message: Record<string, unknown>;
  timeoutMs: number | undefined;
}

export class Gate {
  entered = 0;
  #open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => (this.#open = resolve));
  open(): void {
    this.#open();
  }
  /** Until so many calls wait at the gate. */
  async waitFor(count: number): Promise<void> {
    while (this.entered < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const validate = createRequestValidator([WalletService, ReportService]);
const running: RunningServer[] = [];

/** Starts a server; `stopServers` in afterEach or afterAll ends it. */
export async function startTestServer(limits: Partial<ServerLimits> = {}): Promise<TestServer> {
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  const seen: Seen[] = [];
  const gate = new Gate();
  const state = { ready: true };
  const handlers = testHandlers(seen, gate);
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    isPortShared: false,
    isDurable: true,
    limits: { ...testLimits, ...limits },
    routes: (router) => router.service(WalletService, handlers.wallet).service(ReportService, handlers.report),
    interceptors: createInterceptors({ logger, validate }),
    aroundUnary: createAroundUnary({ logger, validate }),
    services: [WalletService, ReportService],
    lastingMethods: [ReportService.method.watchOperations],
    isReady: () => state.ready,
    logger,
  });
  running.push(server);
  return {
    host: server.host,
    port: server.port,
    stopAccepting: () => server.stopAccepting(),
    drain: () => server.drain(),
    abandon: () => server.abandon(),
    url: `http://127.0.0.1:${server.port}`,
    log,
    seen,
    gate,
    get ready() {
      return state.ready;
    },
    set ready(value) {
      state.ready = value;
    },
  };
}

export async function stopServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.drain()));
}

/** The reasons, fields and metadata that an error carries. */
export function factsOf(error: ConnectError): { code: string; reasons: string[]; domains: string[]; fields: string[]; metadata: Record<string, string> } {
  const infos = error.findDetails(ErrorInfoSchema);
  return {
    code: Code[error.code],
    reasons: infos.map((info) => info.reason),
    domains: infos.map((info) => info.domain),
    fields: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations.map((violation) => violation.field)),
    metadata: infos[0]?.metadata ?? {},
  };
}

function testHandlers(seen: Seen[], gate: Gate): { wallet: Partial<ServiceImpl<typeof WalletService>>; report: Partial<ServiceImpl<typeof ReportService>> } {
  const see = (method: string, message: object, context: { timeoutMs: () => number | undefined }) =>
    void seen.push({ method, message: { ...message }, timeoutMs: context.timeoutMs() });
  return {
    wallet: {
      async initWallet(request, context) {
        see("initWallet", request, context);
        return { wallet: { userId: request.userId, currency: request.currency }, replayed: false };
      },
      async addMoney(request, context) {
        see("addMoney", request, context);
        if (request.userId === "poor") throw serviceError("INSUFFICIENT_FUNDS", "There is not enough.", { metadata: { available: "1.00" } });
        if (request.userId === "broken") throw new Error("SELECT secret FROM /etc/passwd");
        if (request.userId === "foreign") throw new ConnectError("SELECT secret", Code.DataLoss);
        if (request.userId === "wide") return { wallet: { userId: "x".repeat(2 * 1024 * 1024) } };
        if (request.userId === "long") return { operation: { reference: "long ".repeat(1_000) } };
        if (request.userId === "wait") {
          gate.entered += 1;
          await gate.opened;
        }
        return { wallet: { userId: request.userId, balance: { available: request.amount } } };
      },
      async releaseHolds(request, context) {
        see("releaseHolds", request, context);
        return { releasedCount: 0 };
      },
      async holdMoney(request, context) {
        see("holdMoney", request, context);
        return {};
      },
      async reverseHold(request, context) {
        see("reverseHold", request, context);
        return {};
      },
      async getOperation(request, context) {
        see("getOperation", request, context);
        return {};
      },
    },
    report: {
      async getWalletBalance(request, context) {
        see("getWalletBalance", request, context);
        return { userId: request.userId, currency: request.currency ?? "", available: "1.00", held: "0.00", total: "1.00", version: 9007199254740993n };
      },
      async getHoldReport(request, context) {
        see("getHoldReport", request, context);
        return create(ReportService.method.getHoldReport.output, {});
      },
      async getWalletOperationReport(request, context) {
        see("getWalletOperationReport", request, context);
        return {};
      },
      async *getStatement(request, context) {
        see("getStatement", request, context);
        yield { line: { case: "openingBalance", value: { available: "1.00" } } };
        if (request.userId === "poor") throw serviceError("WALLET_NOT_FOUND", "There is no such wallet.");
        if (request.userId === "broken") throw new Error("SELECT secret FROM /etc/passwd");
        yield { line: { case: "closingBalance", value: { available: "2.00" } } };
      },
    },
  };
}
