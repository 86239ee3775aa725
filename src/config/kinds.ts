// The kinds of value that a setting can have: what each accepts, in words and as a function from text to value.

import { availableParallelism, platform } from "node:os";
import type { Database, PostgresDatabase } from "../database.ts";
import { parseAssets } from "../domain/currency.ts";
import { parseBytes } from "./bytes.ts";
import { parseDurationMs } from "./duration.ts";
import { parseListenAddress, type ListenAddress } from "./listen-address.ts";
import { networkThreadsFor } from "./network-threads-for.ts";

/** A kind of value. */
export interface Kind<T> {
  /** What it takes, for people; empty where nothing is accepted yet. */
  readonly accepts: string;
  /** The value that the text stands for. Throws an Error whose message completes "NAME is "text"; …". */
  readonly parse: (text: string) => T;
  /** Whether its flag may stand alone, meaning "true". */
  readonly mayStandAlone: boolean;
}

/** A kind read by `find`, which answers undefined for what the kind does not take, or throws an Error with a better explanation. */
function kind<T>(accepts: string, find: (text: string) => T | undefined): Kind<T> {
  const parse = (text: string): T => {
    const value = find(text);
    if (value === undefined) throw new Error(`it takes ${accepts}`);
    return value;
  };
  return { accepts, parse, mayStandAlone: false };
}

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number): Kind<number> {
  return kind(`a whole number from ${min} to ${max}`, (text) => wholeNumber(text, min, max));
}

/** A duration from `min` to `max`, both included and written as durations; the value is in milliseconds. */
export function duration(min: string, max: string): Kind<number> {
  const [minMs, maxMs] = [required(parseDurationMs(min)), required(parseDurationMs(max))];
  return kind(`a duration such as 500ms, 30s, 10m, 24h, 30d or 1h30m, from ${min} to ${max}`, (text) => within(parseDurationMs(text), minMs, maxMs));
}

/** A size from `min` to `max`, both included and written as sizes; the value is in bytes. */
export function bytes(min: string, max: string): Kind<number> {
  const [minBytes, maxBytes] = [required(parseBytes(min)), required(parseBytes(max))];
  return kind(`a size such as 4MiB, 4MB or 4194304, from ${min} to ${max}`, (text) => within(parseBytes(text), minBytes, maxBytes));
}

/** One of these words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Kind<Word> {
  return kind(`one of ${words.join(", ")}`, (text) => words.find((word) => word === text));
}

const truthByWord = new Map([["true", true], ["1", true], ["false", false], ["0", false]]);

/** Yes or no; its flag alone means yes. */
export const truth: Kind<boolean> = {
  ...kind("true or false (or 1 or 0)", (text) => truthByWord.get(text)),
  mayStandAlone: true,
};

/** More than any writer keeps busy; each costs memory and its own connection to the ledger. */
const networkThreadsMax = 64;

/** A number of network threads, or the one that suits this machine. */
export const threads: Kind<number> = kind(`auto or a whole number from 1 to ${networkThreadsMax}`, (text) =>
  text === "auto" ? networkThreadsFor(availableParallelism(), platform()) : wholeNumber(text, 1, networkThreadsMax),
);

/** Where to listen. */
export const listenAddress: Kind<ListenAddress> = kind(
  "host:port with a port from 0 to 65535, such as 127.0.0.1:8080 or [::1]:8080 (0.0.0.0:8080 for every interface)",
  parseListenAddress,
);

/** Assets beside ISO 4217: name → decimals. */
export const assets: Kind<ReadonlyMap<string, number>> = kind("assets with their decimals, such as POINTS:0,USDT:6", parseAssets);

/** A database's address. */
export const database: Kind<Database> = kind("sqlite: and the path of a file, such as sqlite:./data/wallet.db, or postgres://user:password@host:5432/name", (text) => {
  if (/^postgres(ql)?:/i.test(text)) return postgresDatabase(text);
  const [, location] = /^sqlite:(.+)$/.exec(text) ?? [];
  // After two slashes a URL has a host; only the empty one, and so an absolute path, has a meaning here.
  const path = location?.startsWith("//") === true ? /^\/\/(\/.*)$/.exec(location)?.[1] : location;
  if (path === undefined) return undefined;
  if (path.startsWith(":memory:")) throw new Error("a ledger in memory would forget its money; name a file");
  // SQLite and URLs give ? and # a meaning; rather than guess which was meant, no path has them.
  // It also cuts spaces off a name, while the lock beside the file would not.
  return /[?#]|[/\\]$|^\s|\s$/.test(path) ? undefined : { kind: "sqlite", path };
});

/** Parameters of a PostgreSQL URL that the driver knows (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS) and that say how the server is reached. Others would change what the service relies on, or nothing. */
const postgresParameters = ["host", "port", "options", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslnegotiation", "uselibpqcompat"];

/** Throws where the address names no database: the server would choose one by the user's name, and a ledger is not to lie where nobody meant it. */
function postgresDatabase(text: string): PostgresDatabase | undefined {
  if (text.includes("#")) throw new Error("it has a # in it; within a user or a password write @ : / ? # as %40 %3A %2F %3F %23");
  const url = URL.parse(text);
  if (url === null) return undefined;
  const unknown = [...url.searchParams.keys()].find((name) => !postgresParameters.includes(name));
  if (unknown !== undefined) throw new Error(`its parameter ${unknown} is not known here; there are ${postgresParameters.join(", ")}`);
  if (url.pathname.length < 2) throw new Error("it names no database; end it with one, such as postgres://wallet:password@127.0.0.1:5432/wallet");
  return { kind: "postgres", url: text };
}

/** The same kind, or nothing: undefined. */
export function optional<T>(base: Kind<T>): Kind<T | undefined> {
  return { ...base, parse: (text) => (text === "" ? undefined : base.parse(text)) };
}

/** A setting whose feature is not there yet: every value is refused, by a sentence that says which feature. */
export function notYet(feature: string): Kind<undefined> {
  const parse = (text: string): undefined => {
    if (text !== "") throw new Error(`${feature} not there yet; leave it out`);
  };
  return { accepts: "", parse, mayStandAlone: false };
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  return /^\d{1,15}$/.test(text) ? within(Number(text), min, max) : undefined;
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function required(bound: number | undefined): number {
  if (bound === undefined) throw new TypeError("a bound in the table of settings is not of its own kind");
  return bound;
}
