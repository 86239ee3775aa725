// The server as a whole: one port, and behind it the RPC protocols, the REST paths, health, reflection, probes, and an orderly end.

import { constants } from "node:http2";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { internalError, serviceError } from "../api/errors.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import type { Logger } from "../log.ts";
import type { AroundUnary } from "../api/interceptors.ts";
import { createRpcs } from "./connect.ts";
import type { Rpc } from "./connect.ts";
import { createDirectUnary } from "./direct-unary.ts";
import { drainListener } from "./drain.ts";
import { echo } from "./early-errors.ts";
import { errorAnswer } from "./error-answers.ts";
import { exchangeOf, sendAnswer } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { addHealth } from "./health.ts";
import type { ServerLimits } from "./limits.ts";
import { openListener } from "./listener.ts";
import type { NodeRequest, NodeResponse } from "./listener.ts";
import { probePages, servePage } from "./probes.ts";
import { addReflection } from "./reflection.ts";
import { abandon, discardBody, type Arriving } from "./request-body.ts";
import { refuse } from "./refusal.ts";
import { createRest, type Rest } from "./rest.ts";

export type { ServerLimits } from "./limits.ts";

export interface ServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Other threads of this process listen on it too, and the system spreads connections over them. */
  isPortShared: boolean;
  limits: ServerLimits;
  /** Registers the services' handlers. `draining` is aborted when the server goes down: streams should then end by themselves. */
  routes: (router: ConnectRouter, draining: AbortSignal) => void;
  /** Around every call of the services in `routes`; see `api/interceptors.ts`. */
  interceptors: Interceptor[];
  /** The same duties for unary calls that take the short way, see direct-unary.ts. */
  aroundUnary: AroundUnary;
  /** The services of `routes`: for the REST paths, health and reflection. */
  services: readonly DescService[];
  /** Their methods whose calls last as long as the caller wants: without a deadline but the one that it sends. */
  lastingMethods: readonly DescMethod[];
  /** `long` has every call go through Connect's handlers, so that tests can compare both ways. */
  unaryWay?: "short" | "long" | undefined;
  /** Whether requests are taken; a drain makes the server unready by itself. */
  isReady: () => boolean;
  /** Whether an answer means that what it tells survives a loss of power; /readyz says so. */
  isDurable: boolean;
  logger: Logger;
}

export interface RunningServer {
  readonly host: string;
  /** The port that was taken. */
  readonly port: number;
  /** Closes the port, when no connection waits there; those that are open stay and are served as before. Resolves when it is closed. Never rejects. */
  stopAccepting(): Promise<void>;
  /**
   * Takes nothing new, answers what was taken, closes the connections; what is left `drainTimeoutMs` after the first word of a stop is destroyed. Never rejects. Calling
   * it again gives the same promise.
   */
  drain(): Promise<void>;
  /** Closes every connection at once, answered or not: for a process that is about to end, and whose threads must not be in the middle of reading then. */
  abandon(): void;
}

/** Opens the port and serves. Rejects where the address cannot be had, or a proto asks for something that is not supported. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { limits, logger } = options;
  const draining = new AbortController();
  const { answer, rpcs, rest } = createAnswerer(options, draining.signal);
  const onUnsent = (cause: unknown, request: Arriving): void => {
    // The peer is gone, as a rule. Where it is not, half an answer must not look like a whole one.
    logger.debug({ err: cause }, "an answer could not be sent");
    abandon(request, constants.NGHTTP2_INTERNAL_ERROR);
  };
  const serve = async (node: NodeRequest, response: NodeResponse): Promise<void> => {
    const exchange = exchangeOf(node, response);
    const made = await answer(exchange).catch((cause: unknown) => {
      logger.error({ err: cause, requestId: exchange.requestId }, "a request failed outside of any call");
      return errorAnswer(exchange.protocol, internalError(exchange.requestId));
    });
    await sendAnswer(made, exchange, response, draining.signal.aborted);
  };
  const onRequest = (node: NodeRequest, response: NodeResponse): void => void serve(node, response).catch((cause: unknown) => onUnsent(cause, node));
  const { services, aroundUnary, unaryWay } = options;
  const short = unaryWay === "long" ? undefined : createDirectUnary({ services, rpcs, rest, limits, aroundUnary, isClosing: () => draining.signal.aborted, onUnsent });

  const listener = await openListener({ host: options.host, port: options.port, ...(options.isPortShared ? { reusePort: true } : { exclusive: true }) }, limits, { onRequest, short });
  let drained: Promise<void> | undefined;
  let stopSinceMs: number | undefined;
  return {
    host: listener.address.address,
    port: listener.address.port,
    stopAccepting() {
      stopSinceMs ??= performance.now();
      return listener.stopAccepting();
    },
    drain() {
      stopSinceMs ??= performance.now();
      draining.abort();
      drained ??= drainListener(listener, stopSinceMs + limits.drainTimeoutMs);
      return drained;
    },
    abandon() {
      draining.abort();
      listener.destroy();
    },
  };
}

/** Who answers what. A path belongs to one of: an RPC, a page, a declared HTTP path; what is left is an unknown method in the caller's protocol. */
function createAnswerer(
  options: ServerOptions,
  draining: AbortSignal,
): { readonly answer: (exchange: Exchange) => Promise<UniversalServerResponse>; readonly rpcs: ReadonlyMap<string, Rpc>; readonly rest: Rest } {
  const { limits, logger, services } = options;
  const isReady = () => !draining.aborted && options.isReady();
  const rpcs = createRpcs({
    limits,
    lastingMethods: new Set([...options.lastingMethods, Health.method.watch]),
    logger,
    interceptors: options.interceptors,
    routes(router) {
      options.routes(router, draining);
      addHealth(router, { services, isReady, draining });
      addReflection(router, [...services, Health], draining);
    },
  });
  const rest = createRest({ services, rpcs, limits, logger });
  const pages = probePages(isReady, options.isDurable);

  const answer = async (exchange: Exchange): Promise<UniversalServerResponse> => {
    const rpc = rpcs.get(exchange.path);
    // Who reads a stream throws away the end of it himself.
    if (rpc !== undefined && takesStream(rpc)) return rpc.serve(exchange);
    try {
      const page = pages.get(exchange.path);
      if (rpc !== undefined) return await rpc.serve(exchange);
      if (page !== undefined) return servePage(page, exchange);
      return (await rest.answer(exchange)) ?? unknownMethod(logger, exchange);
    } finally {
      discardBody(exchange.node, limits.requestTimeoutMs);
    }
  };
  return { answer, rpcs, rest };
}

function takesStream(rpc: Rpc): boolean {
  return rpc.method.methodKind === "client_streaming" || rpc.method.methodKind === "bidi_streaming";
}

function unknownMethod(logger: Logger, exchange: Exchange): UniversalServerResponse {
  const sentence = `There is no ${echo(exchange.httpMethod)} ${echo(exchange.path)} here. The protos in proto/wallet/v1, or server reflection, say what there is.`;
  return refuse(logger, exchange, serviceError("UNKNOWN_METHOD", sentence));
}
