// The standard health service, grpc.health.v1: whether the server takes requests, as gRPC load balancers and orchestrators ask it.

import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectRouter } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { echo } from "./early-errors.ts";

export interface HealthOptions {
  /** Their names are known, and the empty name, which means the server as a whole. */
  services: readonly DescService[];
  isReady: () => boolean;
  /** Aborted when the server goes down: watchers are told and let go. */
  draining: AbortSignal;
}

/** How often a watched status is looked at, in milliseconds: a load balancer should learn of a change within the second. */
const watchIntervalMs = 500;

/** Adds the health service. Check answers NOT_FOUND for names that are not served, Watch SERVICE_UNKNOWN, as health.proto says. */
export function addHealth(router: ConnectRouter, options: HealthOptions): void {
  const names: ReadonlySet<string> = new Set(["", ...options.services.map((service) => service.typeName)]);
  const status = () => (options.isReady() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  router.service(
    Health,
    {
      check(request) {
        if (!names.has(request.service)) throw new ConnectError(`There is no service ${echo(request.service)} here.`, Code.NotFound);
        return { status: status() };
      },
      list: () => ({ statuses: Object.fromEntries([...names].map((name) => [name, { status: status() }])) }),
      async *watch(request, context) {
        const current = names.has(request.service) ? status : () => ServingStatus.SERVICE_UNKNOWN;
        const ended = AbortSignal.any([context.signal, options.draining]);
        let last = current();
        yield { status: last };
        while (!ended.aborted) {
          await delay(watchIntervalMs, undefined, { signal: ended, ref: false }).catch(() => {});
          if (context.signal.aborted || current() === last) continue;
          last = current();
          yield { status: last };
        }
      },
    },
    // No log line and no request id for a question that is asked every few seconds.
    { interceptors: [] },
  );
}
