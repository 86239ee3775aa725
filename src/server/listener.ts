// One port for HTTP/1.1 and cleartext HTTP/2: looks at a connection's first bytes and hands the socket to the parser that understands it.

import { createServer as createHttp1Server } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, ListenOptions, Socket } from "node:net";
import { answerBrokenHttp } from "./broken-http.ts";
import { firstBytes } from "./first-bytes.ts";
import { trackSessions } from "./http2-sessions.ts";
import type { Http2Sessions } from "./http2-sessions.ts";
import type { ServerLimits } from "./limits.ts";
import { quietTurn } from "./quiet-turn.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Who answers. None of them must throw: nobody is left who could answer then. */
export interface Answerers {
  /** Answers any request. */
  readonly onRequest: (request: NodeRequest, response: NodeResponse) => void;
  /** Asked first, where there is one; false leaves the request to `onRequest`. */
  readonly short: { takesStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean; takesRequest(request: IncomingMessage, response: ServerResponse): boolean } | undefined;
}

/** An open port and the connections that came through it. */
export interface Listener {
  /** The address as the system gave it; the port is the real one where 0 was asked for. */
  readonly address: AddressInfo;
  /** Connections that are open. */
  readonly connections: ReadonlySet<Socket>;
  readonly sessions: Http2Sessions;
  /** Takes the connections that wait already and then no further one; those that are open stay. Resolves when the port is closed. Never rejects. */
  stopAccepting(): Promise<void>;
  /** Closes HTTP/1.1 connections on which no request is under way, and those that have said nothing yet. */
  closeIdle(): void;
  /** Closes every connection, whatever happens on it, and frees the timers. */
  destroy(): void;
}

/** How often Node looks for HTTP/1.1 requests that are past their time: often enough that a timeout means what it says to the second. */
const timeoutCheckMs = 1_000;

/** Streams that a peer may reset in a burst, and per second after it, before it is sent away (CVE-2023-44487, "rapid reset"). Node's own figures. */
const streamResetBurst = 1_000;
const streamResetsPerSecond = 33;

/** Memory of one HTTP/2 session beside the bodies that we hold, in MiB: header tables and frames that wait to be sent. Node's own figure. */
const sessionMemoryMaxMib = 10;

/**
 * How long a connection is silent before the system asks the peer's whether it is still there, in milliseconds. One that has vanished without a
 * word while it watched is gone some ten seconds after that (libuv asks ten times, a second apart); the system's own figure is two hours.
 */
const keepAliveDelayMs = 60_000;

/** How long at most the port stays open for connections that wait, in milliseconds, and no more than a quarter of a drain's time: where they come faster than they are taken, some always do. */
const lastAcceptsMs = 500;

/** How much of a stream a peer may send before we have read it, in bytes: a batch arrives in a few round trips, a flood stays small. */
const streamWindowBytes = 256 * 1024;

/**
 * Opens the port. `listen` takes what `net.Server.listen` takes, so several processes may share a port (`reusePort`).
 * Rejects with the system's error where the address cannot be had.
 */
export async function openListener(listen: ListenOptions, limits: ServerLimits, answerers: Answerers): Promise<Listener> {
  const connections = new Set<Socket>();
  /** Those that have not said yet which protocol they speak. */
  const silent = new Set<Socket>();
  const http1 = http1Parser(limits, answerers);
  const http2 = http2Parser(limits, answerers);
  const sessions = trackSessions(http2, limits.idleTimeoutMs);
  let taken = 0;
  let portClosed: Promise<void> | undefined;

  // Not half-open: a peer that ends its side has given up, as Node's HTTP/1.1 has it, too. Otherwise nobody would notice a caller that leaves.
  const tcp = createTcpServer({ allowHalfOpen: false, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs });
  tcp.maxConnections = limits.connectionsMax;
  tcp.on("connection", (socket) => {
    taken++;
    connections.add(socket);
    silent.add(socket);
    socket.once("close", () => {
      connections.delete(socket);
      silent.delete(socket);
    });
    // A connection's failure is the connection's end and nothing more. Both parsers see it through "close".
    socket.on("error", () => socket.destroy());
    const serve = (): void =>
      firstBytes(socket, limits.firstByteTimeoutMs, (protocol) => {
        silent.delete(socket);
        (protocol === "http2" ? http2 : http1).emit("connection", socket);
      });
    // Served after the port is closed: who is answered before comes again, and there would be no end of them.
    if (portClosed === undefined) serve();
    else void portClosed.then(() => socket.destroyed || serve());
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(listen, () => {
      tcp.off("error", reject);
      resolve();
    });
  });
  // What can fail once the port is open (no file descriptors left for an accept) passes; the port stays.
  tcp.on("error", () => {});

  // Connections that the system has accepted and we have not are reset when the port is closed, and their callers cannot know that nothing was done. Node takes one in each turn of its loop.
  const closePort = async (): Promise<void> => {
    await quietTurn(Math.min(lastAcceptsMs, limits.drainTimeoutMs / 4), () => taken);
    tcp.close();
  };

  return {
    address: tcp.address() as AddressInfo,
    connections,
    sessions,
    stopAccepting: () => (portClosed ??= closePort()),
    closeIdle() {
      http1.closeIdleConnections();
      for (const socket of silent) socket.destroy();
    },
    destroy() {
      sessions.destroy();
      for (const socket of connections) socket.destroy();
      tcp.close();
      http1.close();
    },
  };
}

/**
 * Rejects with EADDRINUSE where somebody has the port. To be asked before a port is shared: sharing it with another process of the same user succeeds, and
 * each would get some of the other's callers.
 */
export async function assertNobodyListens({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  if (port === 0) return;
  const probe = createTcpServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

function http1Parser(limits: ServerLimits, { onRequest, short }: Answerers) {
  const http1 = createHttp1Server({
    maxHeaderSize: limits.headerMaxBytes,
    // Node refuses to give the head more time than the whole.
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    insecureHTTPParser: false,
    requireHostHeader: true,
    joinDuplicateHeaders: false,
  });
  // No limit on their number: Node would drop the rest silently, and `headerMaxBytes` bounds them already.
  http1.maxHeadersCount = 0;
  http1.timeout = 0;
  http1.on("request", (request, response) => {
    if (short?.takesRequest(request, response) !== true) onRequest(request, response);
  });
  // An `Expect` that nobody knows changes nothing about the request; Node would answer 417 without a word.
  http1.on("checkExpectation", onRequest);
  answerBrokenHttp(http1);
  // This server never listens itself, and only "listening" starts the check of its timeouts.
  http1.emit("listening");
  return http1;
}

function http2Parser(limits: ServerLimits, { onRequest, short }: Answerers) {
  const http2 = createHttp2Server({
    settings: {
      maxConcurrentStreams: limits.streamsPerConnectionMax,
      maxHeaderListSize: limits.headerMaxBytes,
      initialWindowSize: streamWindowBytes,
      enablePush: false,
    },
    maxSessionMemory: sessionMemoryMaxMib,
    streamResetBurst: streamResetBurst,
    streamResetRate: streamResetsPerSecond,
  });
  http2.on("request", onRequest);
  http2.on("checkExpectation", onRequest);
  if (short === undefined) return http2;
  // With that Node listens to "stream" and makes request and response objects, which cost as much as the rest of a small call: only where they are needed.
  const [makeRequest] = http2.listeners("stream") as [(...event: unknown[]) => void];
  http2.off("stream", makeRequest);
  http2.on("stream", (stream, headers, flags, rawHeaders) => {
    if (!short.takesStream(stream, headers)) makeRequest(stream, headers, flags, rawHeaders);
  });
  return http2;
}
