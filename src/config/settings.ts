// Every setting: name, default, meaning and why.

import { assets, bytes, database, duration, integer, listenAddress, notYet, oneOf, optional, threads, truth, type Kind } from "./kinds.ts";
import { partitionsMax } from "../domain/partitions.ts";
import { logLevels } from "../log.ts";

/** One setting. Its flag is its name in another spelling: `WALLET_LISTEN`, `--listen`. */
export interface Setting<T> {
  readonly name: `WALLET_${string}`;
  /** As one would write it; empty for none. An environment variable that is set to nothing counts as not set. */
  readonly default: string;
  readonly kind: Kind<T>;
  readonly meaning: string;
  /** The reason of the default or the bound. */
  readonly why?: string;
}

/** All of them, in the order in which they are explained. */
export const settings = {
  listen: {
    name: "WALLET_LISTEN",
    default: "127.0.0.1:8080",
    kind: listenAddress,
    meaning: "Address and port. Port 0 takes a free one; the first log line that says `listening` carries the real one.",
  },
  database: { name: "WALLET_DATABASE_URL", default: "sqlite:./data/wallet.db", kind: database, meaning: "Where the ledger is kept." },
  partitions: {
    name: "WALLET_PARTITIONS",
    default: "",
    kind: optional(integer(1, partitionsMax)),
    meaning: "Partitions of a new ledger; without it 1 on SQLite and 16 on PostgreSQL. A ledger that is there keeps its own, whatever this says.",
    why: "On PostgreSQL different partitions can be written side by side; a transfer between two locks both.",
  },
  holdPeriodMs: {
    name: "WALLET_HOLD_PERIOD",
    default: "10m",
    kind: duration("1ms", "3650d"),
    meaning: "Age at which a hold becomes eligible for release, unless the hold has a period of its own.",
    why: "Ten years is longer than any reservation is meant to last, and every time computed from it stays in range.",
  },
  autoRelease: {
    name: "WALLET_AUTO_RELEASE",
    default: "false",
    kind: truth,
    meaning: "Whether the server releases overdue holds by itself, before anything of their wallets is decided or answered.",
    why: "`false` is the original's behaviour: a hold stays until somebody calls ReleaseHolds.",
  },
  assets: { name: "WALLET_CURRENCIES", default: "", kind: assets, meaning: "Currencies beside those of ISO 4217." },
  idempotencyRetentionMs: {
    name: "WALLET_IDEMPOTENCY_RETENTION",
    default: "30d",
    kind: duration("1m", "3650d"),
    meaning: "How long idempotency keys replay.",
    why: "A key must outlive its caller's retries, or a late retry is applied a second time; it must be longer than WALLET_TIMEOUT_MAX.",
  },
  apiKeysFile: { name: "WALLET_API_KEYS_FILE", default: "", kind: notYet("API keys are"), meaning: "API keys and what each may do." },
  jwtIssuer: { name: "WALLET_JWT_ISSUER", default: "", kind: notYet("JSON Web Tokens are"), meaning: "Who signs the JSON Web Tokens that callers bring." },
  jwtAudience: { name: "WALLET_JWT_AUDIENCE", default: "", kind: notYet("JSON Web Tokens are"), meaning: "For whom those tokens must be meant." },
  jwtJwksUrl: { name: "WALLET_JWT_JWKS_URL", default: "", kind: notYet("JSON Web Tokens are"), meaning: "Where the issuer publishes its keys." },
  tlsCert: { name: "WALLET_TLS_CERT", default: "", kind: notYet("TLS is"), meaning: "The server's certificate, a PEM file." },
  tlsKey: { name: "WALLET_TLS_KEY", default: "", kind: notYet("TLS is"), meaning: "The certificate's private key, a PEM file." },
  tlsClientCa: { name: "WALLET_TLS_CLIENT_CA", default: "", kind: notYet("TLS is"), meaning: "Who signs the certificates that clients must have, a PEM file." },
  insecure: {
    name: "WALLET_INSECURE",
    default: "false",
    kind: truth,
    meaning: "Serve everybody who can connect, unencrypted, on an address that other machines reach.",
    why: "Without it the server listens on loopback only.",
  },
  networkThreads: {
    name: "WALLET_NETWORK_THREADS",
    default: "auto",
    kind: threads,
    meaning: "Threads that serve the network, on one port, on SQLite in front of the one writer; `auto` makes it two fewer than there are processors, from 1 to 4. More than one needs a system whose ports can be shared, such as Linux.",
    why: "One processor for the writer, or the database, and one for everything else; four threads bring as many calls as the writer of a SQLite ledger decides.",
  },
  queueLengthMax: {
    name: "WALLET_QUEUE_MAX",
    default: "16384",
    kind: integer(1, 1_048_576),
    meaning: "Operations that may wait for their commit, in each network thread; the next ones are refused with OVERLOADED.",
    why: "A full ExecuteBatch (10,000) fits beside others, and all of it is decided well before a caller gives up.",
  },
  batchLengthMax: {
    name: "WALLET_BATCH_MAX",
    default: "1024",
    kind: integer(1, 65_536),
    meaning: "Operations that one commit gathers.",
    why: "From 64 on an fsync costs next to nothing an operation; a larger batch only makes its first operation wait for its last.",
  },
  requestMaxBytes: {
    name: "WALLET_REQUEST_MAX_BYTES",
    default: "4MiB",
    kind: bytes("1KiB", "64MiB"),
    meaning: "The largest request, after decompression.",
    why: "A batch of 10,000 operations fits into 4 MiB; a request is held in memory whole.",
  },
  timeoutMaxMs: {
    name: "WALLET_TIMEOUT_MAX",
    default: "60s",
    kind: duration("100ms", "10m"),
    meaning: "The longest deadline of a call: longer ones are shortened to it, and calls without one get it. Watches and VerifyLedger last as long as their callers want.",
    why: "A call holds memory until it ends, so none may stay for ever; the calls that may stay have bounds of their own.",
  },
  connectionsMax: {
    name: "WALLET_CONNECTIONS_MAX",
    default: "4096",
    kind: integer(1, 65_536),
    meaning: "Open connections; further ones are closed at once.",
    why: "Each costs a file descriptor and some tens of KiB, idle or not.",
  },
  streamsPerConnectionMax: {
    name: "WALLET_STREAMS_MAX",
    default: "256",
    kind: integer(1, 65_536),
    meaning: "Calls in flight on one HTTP/2 connection; clients keep further ones waiting.",
    why: "Enough for one client's commits to be well shared, too few for one connection to fill the queue.",
  },
  watchersMax: {
    name: "WALLET_WATCHERS_MAX",
    default: "10000",
    kind: integer(1, 1_000_000),
    meaning: "Calls of WatchOperations at a time; further ones are refused with OVERLOADED.",
    why: "They last as long as their callers want, and each costs some tens of KiB.",
  },
  drainTimeoutMs: {
    name: "WALLET_DRAIN_TIMEOUT",
    default: "8s",
    kind: duration("100ms", "9s"),
    meaning: "How long accepted calls may take to end after SIGTERM.",
    why: "The process promises to be gone within 10 s of the signal, and closing the ledger needs the rest.",
  },
  logLevel: { name: "WALLET_LOG_LEVEL", default: "info", kind: oneOf(logLevels), meaning: "How much the log says; it is JSON lines on stderr. With `warn` or less, no line says `listening`." },
} as const satisfies Record<string, Setting<unknown>>;
