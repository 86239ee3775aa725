// Runs the scenarios over one way in, on a fresh ledger, and writes down every answer in a form that can be compared with another way's.

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallResult, Client } from "../support/clients/client.ts";
import { methodNamed } from "../support/clients/client.ts";
import { plainWay, type OpenWay } from "../support/clients/ways.ts";
import { sqliteLedgers, type ServiceLedger } from "../support/service-ledgers.ts";
import { startService } from "../support/service.ts";
import type { CallStep, FloodStep, Outcome, Scenario, Step } from "./steps.ts";

/** A step and what came of it. `result` is comparable: times, tokens and hashes, which no two ledgers share, are replaced by what they mean. */
export interface Line {
  readonly step: Step;
  readonly result: CallResult | readonly CallResult[] | undefined;
  /** The outcome that the step was to have, with the values of earlier answers in it. */
  readonly outcome: Outcome | undefined;
}

export interface Transcript {
  readonly way: string;
  readonly scenarios: ReadonlyMap<string, readonly Line[]>;
  /** Methods that this way called itself; for the others the plain way stood in. */
  readonly own: ReadonlySet<string>;
  /** What plain HTTP saw. */
  readonly statuses: readonly { readonly method: string; readonly code: string; readonly status: number }[];
  /** What the service logged as a warning or worse. */
  readonly complaints: readonly string[];
}

/** On a ledger of its own: of SQLite, with one partition, where no other kind is named. */
export async function record(open: OpenWay, scenarios: readonly Scenario[], flags: readonly string[], { kind = sqliteLedgers.one, start = startService } = {}): Promise<Transcript> {
  const ledger = await kind.make();
  const service = await start(...ledger.flags, ...flags);
  const recorder = new Recorder(ledger, open(service), plainWay(service));
  try {
    const lines = new Map<string, readonly Line[]>();
    for (const scenario of scenarios) lines.set(scenario.name, await recorder.play(scenario));
    return { way: recorder.client.name, scenarios: lines, own: recorder.own, statuses: recorder.statuses, complaints: service.complaints };
  } finally {
    recorder.close();
    await service.remove();
    await ledger.remove();
  }
}

const everyCall = process.env["TEST_EVERY_CALL"] !== undefined;

class Recorder {
  readonly own = new Set<string>();
  /** Each method with what came of it, by a way that is dear. */
  readonly #called = new Set<string>();
  readonly statuses: { method: string; code: string; status: number }[] = [];
  readonly client: Client;
  readonly #ledger: ServiceLedger;
  readonly #standIn: Client;
  #saved: Record<string, JsonValue> = {};

  constructor(ledger: ServiceLedger, client: Client, standIn: Client) {
    this.#ledger = ledger;
    this.client = client;
    this.#standIn = standIn;
  }

  close(): void {
    this.client.close();
    this.#standIn.close();
  }

  async play({ steps }: Scenario): Promise<Line[]> {
    this.#saved = {};
    const lines: Line[] = [];
    for (const step of steps) lines.push(await this.#take(step));
    return lines;
  }

  async #take(step: Step): Promise<Line> {
    if ("pauseMs" in step) {
      await sleep(step.pauseMs);
      return { step, result: undefined, outcome: undefined };
    }
    if ("flood" in step) return { step, result: (await this.#flood(step)).map(comparable), outcome: this.#resolved(step.flood.outcome) };
    const result = await this.#call(step);
    if (step.as !== undefined && result.ok) this.#saved[step.as] = result.response;
    return { step, result: comparable(result), outcome: comparable(this.#resolved(step.outcome)) };
  }

  async #call(step: CallStep): Promise<CallResult> {
    const { service, method, request, options, isSetup } = step;
    const canCall = !isSetup && this.client.serves(methodNamed(service, method), options) && !this.#isSpared(step);
    const client = canCall ? this.client : this.#standIn;
    const { httpStatus, ...result } = await client.call(service, method, this.#resolved(request), options).catch(asLine);
    if (canCall) this.own.add(method);
    if (httpStatus !== undefined) this.statuses.push({ method, code: result.ok ? "OK" : result.error.code, status: httpStatus });
    return result;
  }

  /** Whether a way that is dear has met this outcome of the method before, with the same headers. */
  #isSpared({ method, outcome, options }: CallStep): boolean {
    const kind = [method, "reason" in outcome ? outcome.reason : "answered", ...Object.keys(options.headers ?? {})].join(" ");
    const wasCalled = this.#called.has(kind);
    this.#called.add(kind);
    return this.client.isDear === true && wasCalled && !everyCall;
  }

  /** Nobody writes until all calls but one have been refused, so that the one waits in the queue for as long as that takes. */
  async #flood({ flood, times }: FloodStep): Promise<CallResult[]> {
    const calls = await this.#ledger.whileNobodyWrites(async () => {
      let settled = 0;
      const enough = Promise.withResolvers<void>();
      const begun = Array.from({ length: times }, () =>
        this.#call(flood).finally(() => {
          settled++;
          if (settled === times - 1) enough.resolve();
        }),
      );
      await Promise.race([enough.promise, Promise.all(begun)]);
      return begun;
    });
    const results = await Promise.all(calls);
    return results.toSorted((a, b) => Number(b.ok) - Number(a.ok));
  }

  /** The value with each `$name.path` replaced by what the saved answer has there. */
  #resolved<T>(value: T): T {
    return mapValues(value as unknown as JsonValue, (text) => {
      if (!text.startsWith("$") || text.length === 1) return text;
      const [name = "", ...path] = text.slice(1).split(".");
      const found = path.reduce<JsonValue | undefined>((at, key) => (at as JsonObject | undefined)?.[key], this.#saved[name]);
      return found ?? `${text} was never answered`;
    }) as unknown as T;
  }
}

/** What is no answer of the service at all, as a line that equals no other: it belongs to its scenario, and the others go on. */
function asLine(fault: unknown): CallResult {
  const message = fault instanceof Error ? fault.message : String(fault);
  return { ok: false, error: { code: "none", reason: "none", metadata: {}, violations: [], message, retryDelay: undefined } };
}

function comparable<T>(value: T): T {
  return mapValues(value as unknown as JsonValue, (text, key, parent) => {
    if (key === "hash") return Buffer.from(text, "base64").length === 32 ? "a hash" : text;
    // Of a list in the order of a time the token says that time, and any token says which filter it is for.
    if (key === "nextPageToken") return text === "" ? text : "a token";
    // It names an operation by its hash.
    if (key === "resumeToken") return "a token";
    if (!key.endsWith("Time")) return text;
    // The time of a hold's eligibility says how long it is held.
    const sinceMs = key === "eligibleTime" ? Date.parse(text) - Date.parse(parent["createTime"] as string) : 0;
    return Number.isNaN(Date.parse(text)) ? text : `a time${sinceMs === 0 ? "" : `, ${sinceMs} ms later`}`;
  }) as unknown as T;
}

function mapValues(value: JsonValue, change: (text: string, key: string, parent: JsonObject) => JsonValue, key = "", parent: JsonObject = {}): JsonValue {
  if (typeof value === "string") return change(value, key, parent);
  if (Array.isArray(value)) return value.filter((each) => !isProgress(each)).map((each) => mapValues(each, change, key, parent));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapValues(each, change, name, value)]));
}

/** How often a verification tells its progress depends on the machine; that nothing of it is left out is for the tests of verifications. */
function isProgress(message: JsonValue): boolean {
  return typeof message === "object" && message !== null && !Array.isArray(message) && "progress" in message;
}
