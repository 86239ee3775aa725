// A client that watches operations and keeps what a careful one keeps: what it has seen, and the token behind it. It watches again with
// that token whenever its connection or the service ends.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../../gen/wallet/v1/operation_pb.ts";
import { ReportService, type WatchOperationsRequest } from "../../gen/wallet/v1/report_service_pb.ts";

export interface SeenOperation {
  readonly operationId: bigint;
  readonly sequence: bigint;
  /** The caller's own note, empty for none. */
  readonly reference: string;
}

export interface WatcherOptions {
  /** host:port; it must stay the same over restarts. */
  readonly address: string;
  /** Whose operations. All where it is left out. */
  readonly user?: string | undefined;
  /** Where to begin: from the first operation unless said otherwise. */
  readonly from?: "start" | "now" | { readonly token: string };
  /** Rests so long after each answer, in milliseconds. */
  readonly slowMs?: number;
  /** Rests only after each so many answers; 1 unless said otherwise. */
  readonly slowEach?: number;
  /** gRPC unless said otherwise. */
  readonly protocol?: "gRPC" | "Connect";
  /** Is told of each operation as it comes, which is not kept in `seen` then: there may be too many. */
  readonly onOperation?: (operation: Operation) => void;
}

export interface Watcher {
  /** In the order in which they came, over all connections. */
  readonly seen: readonly SeenOperation[];
  /** The last token that came. */
  readonly token: string | undefined;
  /** Answers that carried only a token. */
  readonly tokensAlone: number;
  /** How often it was connected. */
  readonly connections: number;
  /** How its watches ended so far: the code, such as `Unavailable`. */
  readonly ends: readonly string[];
  /** Resolves with the first answer that ever comes. */
  readonly isWatching: Promise<void>;
  /** Drops the connection without a word, and what of it was not yet looked at. */
  kill(): void;
  /** After `kill`: watches again behind what it has seen. */
  resume(): void;
  /** Ends it for good. Rejects where the service refused to let it watch. */
  stop(): Promise<void>;
}

/** How long it rests before it connects again, in milliseconds. */
const againMs = 50;

/** What no new attempt would change. */
const finalCodes: ReadonlySet<Code> = new Set([Code.InvalidArgument, Code.Unimplemented, Code.Internal]);

export function startWatcher({ address, user, from = "start", slowMs = 0, slowEach = 1, protocol = "gRPC", onOperation }: WatcherOptions): Watcher {
  const seen: SeenOperation[] = [];
  const keep = ({ operationId, sequence, reference }: Operation): void => void seen.push({ operationId, sequence, reference });
  const see = onOperation ?? keep;
  let answers = 0;
  const ends: string[] = [];
  const first = Promise.withResolvers<void>();
  let token = typeof from === "object" ? from.token : undefined;
  let tokensAlone = 0;
  let connections = 0;
  let session: Http2SessionManager | undefined;
  const wanted = { is: true };

  const start = (): WatchOperationsRequest["start"] => {
    if (token !== undefined) return { case: "resumeToken", value: token };
    return from === "start" ? { case: "fromStart", value: true } : { case: undefined };
  };

  const watchOnce = async (own: Http2SessionManager): Promise<void> => {
    const options = { baseUrl: `http://${address}`, sessionManager: own };
    const client = createClient(ReportService, protocol === "gRPC" ? createGrpcTransport(options) : createConnectTransport({ ...options, httpVersion: "2" }));
    for await (const { operation, resumeToken } of client.watchOperations({ ...(user === undefined ? {} : { userId: user }), start: start() })) {
      // Killed: what comes now was never seen.
      if (own !== session) return;
      if (operation === undefined) tokensAlone++;
      else see(operation);
      token = resumeToken;
      first.resolve();
      if (slowMs > 0 && ++answers % slowEach === 0) await sleep(slowMs);
    }
    ends.push("OK");
  };

  const watch = async (): Promise<void> => {
    while (wanted.is) {
      const own = new Http2SessionManager(`http://${address}`);
      session = own;
      connections++;
      try {
        await watchOnce(own);
      } catch (thrown) {
        const { code } = ConnectError.from(thrown);
        ends.push(Code[code]);
        if (own === session && finalCodes.has(code)) throw thrown;
      } finally {
        own.abort();
      }
      if (own !== session) return;
      await sleep(againMs);
    }
  };

  let watching = watch();
  // Told by `stop`.
  watching.catch(first.reject);
  first.promise.catch(() => {});
  const kill = (): void => {
    const killed = session;
    session = undefined;
    killed?.abort();
  };
  return {
    seen,
    ends,
    get token() {
      return token;
    },
    get tokensAlone() {
      return tokensAlone;
    },
    get connections() {
      return connections;
    },
    isWatching: first.promise,
    kill,
    resume() {
      watching = watching.then(watch);
      watching.catch(() => {});
    },
    async stop() {
      wanted.is = false;
      kill();
      await watching;
    },
  };
}
