// What a load asks of a connection, whichever protocol it speaks.

export interface LoadConnection {
  /** Takes a call that is to leave now, or as soon as there is room for it. Its time counts from `startMs`, as `performance.now()` tells it. Nothing is sent before `flush`, and nothing is taken after `stop`. */
  call(startMs: number): void;
  flush(): void;
  /** Sends no more calls; `ended` resolves when the last answer is there. */
  stop(): void;
  /** Rejects when the connection breaks during calls. */
  readonly ended: Promise<void>;
  /** The message of the last good answer, without any framing. */
  readonly lastMessage: Buffer;
}

export interface ConnectionOptions {
  readonly port: number;
  readonly path: string;
  readonly contentType: string;
  /** Writes the next request's message into the buffer at this place. Always as long as `messageBytes`. */
  readonly writeMessage: (into: Buffer, at: number) => void;
  readonly messageBytes: number;
  /** Called for each whole answer with the time from which its call counts. */
  readonly onAnswer: (startMs: number, isGood: boolean) => void;
}
