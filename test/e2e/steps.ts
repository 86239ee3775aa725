// The words in which scenarios are written: calls with the outcome that they must have, pauses, and calls that meet a full queue.

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Reason } from "../../src/api/errors.ts";
import { services, type CallOptions } from "../support/clients/client.ts";

/** Text of the form `$name.path.to.field` in a request or an outcome stands for what the answer saved under that name contains. */
export type Outcome =
  | { readonly answer: JsonValue; readonly without: readonly string[] }
  | { readonly reason: Reason; readonly metadata: Readonly<Record<string, string>>; readonly fields: readonly string[] };

export interface CallStep {
  readonly service: string;
  readonly method: string;
  readonly request: JsonObject;
  readonly options: CallOptions;
  /** Only there to make what the scenario is about: the plain way does it for all. */
  readonly isSetup: boolean;
  /** The name under which later steps find the answer. */
  readonly as: string | undefined;
  readonly outcome: Outcome;
}

/** The same call several times at once while the writer is kept busy and the queue has room for one: that one is done, the others are not. */
export interface FloodStep {
  readonly flood: CallStep;
  readonly times: number;
}

export type Step = CallStep | FloodStep | { readonly pauseMs: number };

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

interface Extras {
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isLate?: boolean;
  /** Of a stream that never ends: so many answers, and then the call is cancelled. */
  readonly first?: number;
}

/** A call whose answer contains `answer`, of a stream a list with as many messages, and nothing at the names in `without`. */
export function answers(method: string, request: JsonObject, answer: JsonValue, { without = [], ...extras }: Extras & { readonly without?: readonly string[] } = {}): CallStep {
  return { ...callOf(method, request, extras), outcome: { answer, without } };
}

/** A call that is refused for this reason, with at least this metadata and exactly these fields named as wrong. */
export function rejects(
  method: string,
  request: JsonObject,
  reason: Reason,
  { metadata = {}, fields = [], ...extras }: Extras & { readonly metadata?: Readonly<Record<string, string>>; readonly fields?: readonly string[] } = {},
): CallStep {
  return { ...callOf(method, request, extras), outcome: { reason, metadata, fields } };
}

function callOf(name: string, request: JsonObject, { as, ...options }: Extras): Omit<CallStep, "outcome"> {
  const [method = "", stated] = name.split("@");
  const service = stated ?? services.find((candidate) => candidate.methods.some((each) => each.name === method))?.name;
  if (service === undefined) throw new Error(`there is no method ${method}; write ${method}@WalletService to call one that does not exist`);
  return { service, method, request, options, isSetup: false, as };
}

/** A wallet with this much in it. */
export function filled(userId: string, currency: string, amount: string): CallStep[] {
  const total = { available: amount, held: currency === "JPY" ? "0" : "0.00", total: amount };
  return [
    answers("InitWallet", { user_id: userId, currency }, { wallet: { userId, currency, version: "1" } }),
    answers("AddMoney", { user_id: userId, currency, amount }, { wallet: { balance: total, version: "2" } }),
  ].map((step) => ({ ...step, isSetup: true }));
}
