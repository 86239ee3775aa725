// Keeps track of HTTP/2 sessions and their streams: ends sessions that are idle, and streams that Node has forgotten to end.

import { constants } from "node:http2";
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { Slots } from "./slots.ts";

export interface Http2Sessions {
  /** Lets every session finish the streams that it has and take no more: GOAWAY. */
  close(): void;
  /** Ends every session and stream at once. */
  destroy(): void;
  /** Ends streams that are over for the peer; see `isForgotten`. Called every second by itself. */
  sweep(): void;
}

/** How often forgotten streams are looked for, in milliseconds: they cost memory and a connection, nothing that hurries. */
const sweepIntervalMs = 1_000;

/** Where a stream has its slot among those of its session. Its listener is a function, not a closure: Node keeps a stream long after its end, and all that hangs on it. */
const held = Symbol("held");

interface Held {
  [held]?: { readonly among: Slots<ServerHttp2Stream>; readonly slot: number } | undefined;
}

function leave(this: Held): void {
  if (this[held] !== undefined) this[held].among.remove(this[held].slot);
  this[held] = undefined;
}

/** Watches the sessions of this server. A session without a stream and without a byte for `idleTimeoutMs` milliseconds gets a GOAWAY. */
export function trackSessions(http2: Http2Server, idleTimeoutMs: number): Http2Sessions {
  const sessions = new Map<ServerHttp2Session, Slots<ServerHttp2Stream>>();
  http2.on("session", (session) => {
    const streams = new Slots<ServerHttp2Stream>();
    sessions.set(session, streams);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    session.on("stream", (stream) => {
      (stream as Held)[held] = { among: streams, slot: streams.add(stream) };
      stream.on("close", leave);
    });
    // A silent session with a stream open is a call that takes long; without one it is a forgotten connection.
    session.setTimeout(idleTimeoutMs, () => {
      if (streams.size === 0) session.close();
    });
  });

  const sweep = (): void => {
    for (const streams of sessions.values()) {
      streams.forEach((stream) => {
        if (isForgotten(stream)) stream.destroy();
      });
    }
  };
  const timer = setInterval(sweep, sweepIntervalMs).unref();
  return {
    close() {
      for (const session of sessions.keys()) if (!session.closed) session.close();
    },
    destroy() {
      clearInterval(timer);
      for (const session of sessions.keys()) session.destroy();
    },
    sweep,
  };
}

/**
 * A peer that resets a stream with NO_ERROR while its answer is being written leaves Node 24 waiting for the write, for ever: nghttp2 no longer
 * knows the stream, Node has not destroyed it, and the session stays, even after its socket's end.
 */
function isForgotten(stream: ServerHttp2Stream): boolean {
  if (!stream.closed || stream.destroyed) return false;
  const { state } = stream.state;
  return state === constants.NGHTTP2_STREAM_STATE_IDLE || state === constants.NGHTTP2_STREAM_STATE_CLOSED;
}
