// What the service is told from outside: settings read from flags and environment, checked together, and the fixed bounds of the network side.

import { ConfigError } from "./config/config-error.ts";
import { copyHelpText, readCopyFlags, type CopyConfig } from "./config/copy-flags.ts";
import { parseFlags } from "./config/flags.ts";
import { helpText, type SettingRow } from "./config/help.ts";
import type { Database } from "./database.ts";
import { formatListenAddress, isLoopback, type ListenAddress } from "./config/listen-address.ts";
import { nearest } from "./config/nearest.ts";
import { quoted } from "./config/quoted.ts";
import { isServiceLink } from "./config/service-links.ts";
import { settings, type Setting } from "./config/settings.ts";
import type { LogLevel } from "./log.ts";
import type { ServerLimits } from "./server/limits.ts";
import { version } from "./version.ts";

export { ConfigError };

const table: readonly Setting<unknown>[] = Object.values(settings);

/** Bounds that are no settings: nobody who runs the service has a reason to change them. */
const fixedLimits = {
  /** Bytes. What gRPC clients accept unless told otherwise (grpc-go, grpc-java and grpc-js: 4 MiB). */
  responseMaxBytes: 4 * 1024 * 1024,
  /** Bytes of one request's headers. Node's own default for HTTP/1.1 and twice what gRPC clients send at most (8 KiB), here for HTTP/2 too. */
  headerMaxBytes: 16 * 1024,
  /** A client speaks first in every protocol here; one that says nothing holds a connection for nothing. */
  firstByteTimeoutMs: 10_000,
  /** From the first byte to the end of the headers, which fit into a dozen packets. Against clients that send a byte now and then. */
  headersTimeoutMs: 15_000,
  /** From the first byte to the end of the request: 64 MiB, the largest there is, over 20 Mbit/s, and twice the time. */
  requestTimeoutMs: 60_000,
  /** Without a call. Just below the 350 s after which cloud load balancers drop idle connections without a word, so that the server ends them in order. */
  idleTimeoutMs: 300_000,
} as const;

/** Partitions of a new ledger where nothing is said: one writer takes all of a SQLite file's anyway; on PostgreSQL there is room for several servers, and for a distributed engine's nodes. */
const defaultPartitions: Readonly<Record<Database["kind"], number>> = { sqlite: 1, postgres: 16 };

/** Everything that the service is told from outside, parsed. Plain data: it can be sent to a worker thread. */
export interface Config {
  readonly listen: ListenAddress;
  readonly database: Database;
  /** Of a new ledger. */
  readonly partitions: number;
  readonly holdPeriodMs: number;
  readonly autoRelease: boolean;
  /** Name → decimals, beside ISO 4217. */
  readonly assets: ReadonlyMap<string, number>;
  readonly idempotencyRetentionMs: number;
  readonly insecure: boolean;
  /** Threads that serve the network. */
  readonly networkThreads: number;
  /** Operations that may wait for their commit. */
  readonly queueLengthMax: number;
  /** Operations that one commit gathers. */
  readonly batchLengthMax: number;
  /** Calls of WatchOperations at a time. */
  readonly watchersMax: number;
  readonly limits: ServerLimits;
  readonly logLevel: LogLevel;
}

/** What `verify` needs of the settings. */
export type VerifyConfig = Pick<Config, "database" | "idempotencyRetentionMs">;

/** What the command line asks for. `text` goes to stdout. */
export type Start<Wanted = Config> = { readonly kind: "run"; readonly config: Wanted } | { readonly kind: "help" | "version"; readonly text: string };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from the flags (without node and the script) and the environment; a flag wins over its variable. Throws a ConfigError whose
 * sentence names what is unknown, wrong or not there yet.
 */
export function readConfig(args: readonly string[], env: Environment): Start {
  return textAskedFor(args) ?? { kind: "run", config: configFrom(readerOf(args, env)) };
}

/**
 * Reads what `verify` needs, from the same flags and variables. What it does not need is not looked at: the books of a ledger can be checked whatever is wrong
 * with the other settings. Throws a ConfigError as readConfig does; flags and variables that there are not are refused here too.
 */
export function readVerifyConfig(args: readonly string[], env: Environment): Start<VerifyConfig> {
  const asked = textAskedFor(args);
  if (asked !== undefined) return asked;
  const read = readerOf(args, env);
  return { kind: "run", config: { database: read(settings.database), idempotencyRetentionMs: read(settings.idempotencyRetentionMs) } };
}

/** Reads what `copy` is told behind its name. Throws a ConfigError as readConfig does; variables that there are not are refused here too. */
export function readCopyConfig(args: readonly string[], env: Environment): Start<CopyConfig> {
  const asked = textAskedFor(args, copyHelpText);
  if (asked !== undefined) return asked;
  refuseUnknownVariables(env);
  return { kind: "run", config: readCopyFlags(args, env) };
}

/** Whoever asks for help gets it, whatever else is wrong. */
function textAskedFor(args: readonly string[], help = (of: string): string => helpText(settingsTable(), of)): Exclude<Start, { kind: "run" }> | undefined {
  if (args.includes("--help") || args.includes("-h")) return { kind: "help", text: help(version) };
  return args.includes("--version") ? { kind: "version", text: `${version}\n` } : undefined;
}

type ReadSetting = <T>(setting: Setting<T>) => T;

function readerOf(args: readonly string[], env: Environment): ReadSetting {
  refuseUnknownVariables(env);
  const flags = parseFlags(args, table.map(({ name, kind }) => ({ flag: flagOf(name), mayStandAlone: kind.mayStandAlone })));
  return (setting) => readSetting(setting, flags.get(flagOf(setting.name)), env[setting.name]);
}

function configFrom(read: ReadSetting): Config {
  // All of them, those too that are not there yet and have no place in Config.
  for (const setting of table) read(setting);

  const config: Config = {
    listen: read(settings.listen),
    database: read(settings.database),
    partitions: read(settings.partitions) ?? defaultPartitions[read(settings.database).kind],
    holdPeriodMs: read(settings.holdPeriodMs),
    autoRelease: read(settings.autoRelease),
    assets: read(settings.assets),
    idempotencyRetentionMs: read(settings.idempotencyRetentionMs),
    insecure: read(settings.insecure),
    networkThreads: read(settings.networkThreads),
    queueLengthMax: read(settings.queueLengthMax),
    batchLengthMax: read(settings.batchLengthMax),
    watchersMax: read(settings.watchersMax),
    limits: {
      ...fixedLimits,
      requestMaxBytes: read(settings.requestMaxBytes),
      timeoutMaxMs: read(settings.timeoutMaxMs),
      connectionsMax: read(settings.connectionsMax),
      streamsPerConnectionMax: read(settings.streamsPerConnectionMax),
      drainTimeoutMs: read(settings.drainTimeoutMs),
    },
    logLevel: read(settings.logLevel),
  };
  refuseContradictions(config);
  return config;
}

/** Every setting, in the order of the table, as it is explained to people. */
export function settingsTable(): SettingRow[] {
  return table.map(({ name, default: fallback, kind, meaning, why = "" }) => ({ name, flag: flagOf(name), default: fallback, meaning, accepts: kind.accepts, why }));
}

function flagOf(name: string): string {
  return name.replace(/^WALLET_/, "--").replaceAll("_", "-").toLowerCase();
}

function readSetting<T>(setting: Setting<T>, flagText: string | undefined, variableText: string | undefined): T {
  const text = flagText ?? (variableText === undefined || variableText === "" ? setting.default : variableText);
  try {
    return setting.kind.parse(text);
  } catch (error) {
    const label = flagText === undefined ? setting.name : `${flagOf(setting.name)} (${setting.name})`;
    throw new ConfigError(`${label} is ${quoted(text)}; ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** A misspelt variable would otherwise be a setting silently not made. */
function refuseUnknownVariables(env: Environment): void {
  const names = table.map((setting) => setting.name);
  for (const [name, value = ""] of Object.entries(env)) {
    if (!name.startsWith("WALLET_") || names.some((known) => known === name) || isServiceLink(name, value)) continue;
    if (name.startsWith("WALLET_JWT_")) throw new ConfigError(`${name} is set; JSON Web Tokens are not there yet; leave it out.`);
    const meant = nearest(name, names);
    throw new ConfigError(`There is no setting ${name}; ${meant === undefined ? "" : `did you mean ${meant}? `}--help lists them all.`);
  }
}

function refuseContradictions({ listen, insecure, idempotencyRetentionMs, limits }: Config): void {
  if (!isLoopback(listen.host) && !insecure) {
    throw new ConfigError(
      `WALLET_LISTEN is "${formatListenAddress(listen)}"; other machines may reach that, and nothing is encrypted or authenticated yet: ` +
        "listen on 127.0.0.1, or set WALLET_INSECURE=true to serve everybody who can connect.",
    );
  }
  if (idempotencyRetentionMs <= limits.timeoutMaxMs) {
    throw new ConfigError(
      `WALLET_IDEMPOTENCY_RETENTION is ${idempotencyRetentionMs} ms; it must be longer than WALLET_TIMEOUT_MAX, ${limits.timeoutMaxMs} ms, ` +
        "or a retry could be applied a second time.",
    );
  }
}
