// Deadlines that callers send: clamped to the server's longest, which is also the deadline of those that send none. Calls that are meant to last
// have the deadline that their caller sends, or none.

import { headerTimeout as connectTimeoutHeader } from "@connectrpc/connect/protocol-connect";
import { headerTimeout as grpcTimeoutHeader } from "@connectrpc/connect/protocol-grpc";
import type { Protocol } from "./protocol.ts";

/** gRPC's units (PROTOCOL-HTTP2.md, "Timeout"), in milliseconds. */
const grpcUnitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** The most digits that gRPC allows; `S` is taken where milliseconds would need more. */
const grpcTimeoutMax = 99_999_999;

/** The longest that a timer counts, in milliseconds: 24 days. */
export const longestTimerMs = 2 ** 31 - 1;

/** Removes a timeout header that asks for more than a timer can count: for a call that lasts as long as its caller wants, that is as good as none. */
export function dropEndlessDeadline(header: Headers): void {
  const grpc = header.get(grpcTimeoutHeader);
  const connect = header.get(connectTimeoutHeader);
  if (grpc !== null && grpcTimeoutMs(grpc) > longestTimerMs) header.delete(grpcTimeoutHeader);
  if (connect !== null && connectTimeoutMs(connect) > longestTimerMs) header.delete(connectTimeoutHeader);
}

/**
 * Rewrites the timeout header in place so that it is never longer than `timeoutMaxMs`. Connect would refuse a longer one. Any number of digits
 * counts as long, not as malformed; a malformed header is left as it is, and Connect refuses it.
 */
export function clampDeadline(header: Headers, protocol: Protocol, timeoutMaxMs: number): void {
  if (protocol === "grpc" || protocol === "grpc-web") {
    const asked = grpcTimeoutMs(header.get(grpcTimeoutHeader));
    if (asked > timeoutMaxMs) header.set(grpcTimeoutHeader, toGrpcTimeout(timeoutMaxMs));
  } else {
    const asked = connectTimeoutMs(header.get(connectTimeoutHeader));
    if (asked > timeoutMaxMs) header.set(connectTimeoutHeader, String(timeoutMaxMs));
  }
}

/** Milliseconds; infinite without a header, 0 for a malformed one, which is not ours to rewrite. */
export function connectTimeoutMs(value: string | null): number {
  if (value === null) return Infinity;
  return /^\d+$/.test(value) ? Number(value) : 0;
}

/** The same of gRPC's header. */
export function grpcTimeoutMs(value: string | null): number {
  if (value === null) return Infinity;
  const [, digits, unit] = /^(\d+)([HMSmun])$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return 0;
  return Number(digits) * (grpcUnitMs[unit] ?? 0);
}

function toGrpcTimeout(timeoutMs: number): string {
  return timeoutMs <= grpcTimeoutMax ? `${Math.ceil(timeoutMs)}m` : `${Math.ceil(timeoutMs / 1000)}S`;
}
