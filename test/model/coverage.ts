// What the sequences must have met: every verb granted, and every rejection that it can give.

import type { RejectionReason } from "../../src/domain/rejection.ts";
import type { Asked, AskedOfWallet } from "../support/asked.ts";
import type { NaiveHold, Seen } from "./naive-state.ts";

/** What came to pass and how often, by name, so that a run can show that it has seen everything. */
export type Tally = Map<string, number>;

type Verb = AskedOfWallet["type"];

const keyed = ["IDEMPOTENCY_KEY_REUSED"] as const;
const findingWallet = [...keyed, "VERSION_MISMATCH", "UNKNOWN_CURRENCY", "WALLET_NOT_FOUND", "CURRENCY_REQUIRED"] as const;
const findingHold = [...keyed, "VERSION_MISMATCH", "HOLD_NOT_FOUND", "HOLD_NOT_ACTIVE"] as const;
const amount = ["AMOUNT_TOO_PRECISE", "AMOUNT_OUT_OF_RANGE"] as const;
const spending = [...findingWallet, ...amount, "WALLET_FROZEN", "WALLET_CLOSED", "INSUFFICIENT_FUNDS"] as const;
const receiving = ["SAME_WALLET", "WALLET_NOT_FOUND of the receiver", "WALLET_CLOSED of the receiver", "BALANCE_LIMIT_EXCEEDED of the receiver"] as const;

/** Every rejection that a verb can give. */
const rejections: Readonly<Record<Verb, readonly (RejectionReason | (typeof receiving)[number])[]>> = {
  init: [...keyed, "VERSION_MISMATCH", "UNKNOWN_CURRENCY", "WALLET_EXISTS", ...amount],
  add: [...findingWallet, ...amount, "OPERATION_NOT_FOUND", "WALLET_CLOSED", "BALANCE_LIMIT_EXCEEDED"],
  hold: spending,
  reverse: findingHold,
  capture: [...findingHold, ...amount, "WALLET_FROZEN", "CAPTURE_EXCEEDS_HOLD", ...receiving],
  extend: [...findingHold, "HOLD_PERIOD_SHORTENED"],
  withdraw: spending,
  transfer: [...spending, ...receiving],
  freeze: [...findingWallet, "WALLET_FROZEN", "WALLET_CLOSED"],
  unfreeze: [...findingWallet, "WALLET_CLOSED"],
  close: [...findingWallet, "WALLET_CLOSED", "WALLET_NOT_EMPTY"],
  limit: [...findingWallet, ...amount, "WALLET_CLOSED"],
};

/** Ways of being granted that are told apart. */
const grants: Readonly<Partial<Record<Asked["type"], readonly string[]>>> = {
  capture: ["of a part", "of the rest", "of a last part", "into a wallet", "into a frozen wallet"],
  extend: ["in a frozen wallet"],
  reverse: ["after a capture", "in a frozen wallet"],
  release: ["something", "nothing", "something validated"],
  add: ["in a frozen wallet"],
  transfer: ["into a frozen wallet"],
  limit: ["below what is there"],
};

/** Rejections that the ledger remembers must be met again as replays. */
const replays: Readonly<Partial<Record<Verb, readonly string[]>>> = {
  init: ["WALLET_EXISTS"],
  add: ["BALANCE_LIMIT_EXCEEDED"],
  hold: ["WALLET_NOT_FOUND", "WALLET_FROZEN", "INSUFFICIENT_FUNDS"],
  reverse: ["HOLD_NOT_FOUND"],
  capture: ["HOLD_NOT_FOUND", "HOLD_NOT_ACTIVE", "CAPTURE_EXCEEDS_HOLD"],
  extend: ["HOLD_NOT_FOUND", "HOLD_PERIOD_SHORTENED"],
  withdraw: ["INSUFFICIENT_FUNDS"],
  transfer: ["INSUFFICIENT_FUNDS", "BALANCE_LIMIT_EXCEEDED of the receiver"],
  close: ["WALLET_NOT_EMPTY"],
};

/** What a run of a thousand sequences must have met; a generator that goes blind would prove nothing. */
export const everything: readonly string[] = [
  ...Object.keys(rejections).flatMap((verb) => ["applied", "applied validated", "applied replayed"].map((outcome) => `${verb} ${outcome}`)),
  ...Object.entries(rejections).flatMap(([verb, reasons]) => reasons.map((reason) => `${verb} ${reason}`)),
  ...Object.entries(grants).flatMap(([verb, ways]) => ways.map((way) => `${verb} ${way}`)),
  ...Object.entries(replays).flatMap(([verb, reasons]) => reasons.map((reason) => `${verb} ${reason} replayed`)),
  "hold INSUFFICIENT_FUNDS validated",
];

/** How often everything was met, a line for each verb; without what was only validated or only replayed. */
export function summaryOf(tally: Tally): string {
  const verbs = [...Object.keys(rejections), "release"];
  const line = (verb: string): string => {
    const met = [...tally].filter(([name]) => name.startsWith(`${verb} `) && !/ (validated|replayed)$/.test(name)).toSorted(([, a], [, b]) => b - a);
    return `  ${verb}: ${met.map(([name, times]) => `${name.slice(verb.length + 1)} ${times}`).join(", ")}`;
  };
  return verbs.map(line).join("\n");
}

/** Counts what was asked and what the model answered. */
export function count(tally: Tally, asks: readonly Asked[], seen: readonly Seen[]): void {
  asks.forEach((asked, index) => {
    const answer = seen[index]!;
    const how = [asked.validateOnly ? " validated" : "", "replayed" in answer && answer.replayed ? " replayed" : ""].join("");
    const names = whatHappened(asked, answer).map((what) => `${asked.type} ${what}${how}`);
    for (const name of ["request", ...names]) tally.set(name, (tally.get(name) ?? 0) + 1);
  });
}

function whatHappened(asked: Asked, answer: Seen): readonly string[] {
  switch (answer.type) {
    case "applied":
      return ["applied", ...waysOf(answer)];
    case "released":
      return [answer.count > 0 ? "something" : "nothing"];
    case "rejected": {
      const { rejection } = answer;
      const isReceivers = ("to" in asked && "userId" in rejection && rejection.userId !== asked.user) || "toUserId" in rejection;
      return [`${rejection.reason}${isReceivers ? " of the receiver" : ""}`];
    }
    default:
      return answer satisfies never;
  }
}

function waysOf({ operation }: Extract<Seen, { type: "applied" }>): readonly string[] {
  const { kind, after, hold, receiver } = operation;
  const isFrozen = after.state === "FROZEN";
  const ways: Readonly<Record<string, boolean>> = {
    ...(kind === "CAPTURE" && hold !== undefined && captureWays(hold)),
    "into a wallet": kind === "CAPTURE" && receiver !== undefined,
    "into a frozen wallet": receiver?.after.state === "FROZEN",
    "in a frozen wallet": isFrozen && kind !== "FREEZE",
    "after a capture": kind === "REVERSE" && hold !== undefined && hold.captured > 0n,
    "below what is there": kind === "SET_LIMITS" && after.balanceMax !== undefined && after.balanceMax < after.available + after.held,
  };
  return Object.keys(ways).filter((way) => ways[way]);
}

function captureWays({ status, captured, amount: held }: Pick<NaiveHold, "status" | "captured" | "amount">): Readonly<Record<string, boolean>> {
  return { "of a part": status === "ACTIVE", "of the rest": captured === held, "of a last part": status === "CAPTURED" && captured < held };
}
