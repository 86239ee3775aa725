// Going down in order: no new connections, every request that was taken is answered, then the connections end.

import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Listener } from "./listener.ts";
import { quietTurn } from "./quiet-turn.ts";

/** How often the open connections are looked at, in milliseconds. */
const lookIntervalMs = 20;

/**
 * How long an HTTP/1.1 connection that is idle, or one that has said nothing yet, is still listened to, in milliseconds. A request that was on its way when the drain began is answered;
 * closing at once would reset it.
 */
const idleLingerMs = 200;

/**
 * How long a connection that we have ended waits for the peer to end its side, in milliseconds. It has all its answers by then; a peer that keeps
 * its side open must not hold the process up.
 */
const endedLingerMs = 500;

/** How long at most a busy thread looks for a moment at which no request waits unread on a connection that is idle, in milliseconds. */
const unreadMs = 500;

/**
 * Resolves when every connection is closed, at the latest at `endMs` on the clock of `performance.now()`, when what is left is destroyed. The caller sees to it that
 * answers say `Connection: close` by then.
 */
export async function drainListener(listener: Listener, endMs: number): Promise<void> {
  await listener.stopAccepting();
  const lingeredMs = performance.now() + idleLingerMs;
  const endedSinceMs = new Map<Socket, number>();
  while (listener.connections.size > 0) {
    // Again at each look: a session may have begun on a connection that was taken before. GOAWAY lets its streams finish.
    listener.sessions.close();
    listener.sessions.sweep();
    if (performance.now() >= lingeredMs) {
      await quietTurn(Math.min(unreadMs, endMs - performance.now()));
      listener.closeIdle();
    }
    const nowMs = performance.now();
    if (nowMs >= endMs) break;
    for (const socket of listener.connections) {
      if (!socket.writableFinished) continue;
      const sinceMs = endedSinceMs.get(socket) ?? nowMs;
      endedSinceMs.set(socket, sinceMs);
      if (nowMs - sinceMs >= endedLingerMs) socket.destroy();
    }
    await setTimeout(lookIntervalMs);
  }
  listener.destroy();
}
