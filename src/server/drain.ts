// Going down in order: no new connections, every request that was taken is answered, then the connections end.

import type { Socket } from "node:net";
import type { Listener } from "./listener.ts";

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

/**
 * Resolves when every connection is closed, at the latest `timeoutMs` milliseconds after the port began to be closed, when what is left is destroyed. The caller
 * sees to it that answers say `Connection: close` by then.
 */
export async function drainListener(listener: Listener, timeoutMs: number): Promise<void> {
  await listener.stopAccepting();
  const startMs = performance.now();
  const leftMs = timeoutMs - (startMs - (listener.closingSinceMs ?? startMs));
  const endedSinceMs = new Map<Socket, number>();
  await new Promise<void>((resolve) => {
    const look = (): void => {
      const elapsedMs = performance.now() - startMs;
      // Again at each look: a session may have begun on a connection that was taken before. GOAWAY lets its streams finish.
      listener.sessions.close();
      listener.sessions.sweep();
      if (elapsedMs >= idleLingerMs) listener.closeIdle();
      for (const socket of listener.connections) {
        if (!socket.writableFinished) continue;
        const sinceMs = endedSinceMs.get(socket) ?? elapsedMs;
        endedSinceMs.set(socket, sinceMs);
        if (elapsedMs - sinceMs >= endedLingerMs) socket.destroy();
      }
      if (listener.connections.size > 0 && elapsedMs < leftMs) return;
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(look, lookIntervalMs);
    look();
  });
  listener.destroy();
}
