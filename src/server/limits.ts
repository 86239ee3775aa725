// What the server takes of one peer, and of all of them together: every bound of the network side, by name and unit.

/** Bounds of the network side. `config.ts` gives each its default and its reason. */
export interface ServerLimits {
  /** Largest request message, decompressed, in bytes. */
  requestMaxBytes: number;
  /** Largest answer message, uncompressed, in bytes. A larger one is a defect of the service. */
  responseMaxBytes: number;
  /** Longest deadline of a call in milliseconds; also the deadline of a call that names none. */
  timeoutMaxMs: number;
  /** Open connections, of all protocols together. Further ones are closed at once. */
  connectionsMax: number;
  /** Calls that one HTTP/2 connection may have open at a time. */
  streamsPerConnectionMax: number;
  /** A request's header block (request line or pseudo headers included) in bytes. */
  headerMaxBytes: number;
  /** How long a new connection may stay silent, in milliseconds. */
  firstByteTimeoutMs: number;
  /** How long an HTTP/1.1 request's header block may take, in milliseconds. */
  headersTimeoutMs: number;
  /** How long a whole request, its body included, may take to arrive, in milliseconds. */
  requestTimeoutMs: number;
  /** How long a connection without a call is kept, in milliseconds. */
  idleTimeoutMs: number;
  /** How long a drain waits for calls that are under way, in milliseconds. */
  drainTimeoutMs: number;
}
