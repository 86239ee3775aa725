// What a run finds out, in the form in which it is told.

import type { Plot } from "./plots.ts";
import { spreadOf, type Spread } from "./statistics.ts";

/** A row of speed.md, or a part of one: what was measured against what, and whether it reached its target. */
export interface Verdict {
  readonly row: string;
  readonly what: string;
  readonly against: string;
  /** As it is written, such as "≥ 0.7". */
  readonly target: string;
  readonly figure: string;
  /** The measured ratio or value with its spread, as it is compared with the target. */
  readonly ratio: string;
  readonly isMet: boolean;
  /** What binds it, said on the page where it is missed. */
  readonly binding?: string;
  /** Under which load the profile shows what binds it; told beside `binding`. */
  readonly profile?: ProfiledLoad;
}

/** A table that tells how the verdicts came about. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

export interface Findings {
  readonly verdicts: Verdict[];
  readonly tables: Table[];
  readonly plots?: Plot[];
  readonly causes?: Cause[];
  readonly profiles?: Readonly<Record<ProfiledLoad, ProfileInWords>>;
}

/** What the profile taken under a load shows. */
export interface ProfileInWords {
  /** The load's. */
  readonly name: string;
  /** How much of the time its threads are occupied. */
  readonly occupied: string;
  /** What each of them is occupied with most. */
  readonly occupations: string;
}

/** What binds a row as a whole, said on the page where something of it is missed. */
export interface Cause {
  readonly row: string;
  /** From the figures of the run. */
  readonly sentence: string;
  /** Under which load the profile shows what binds all of the row; targets of which each has its own name it themselves. */
  readonly profile?: ProfiledLoad;
}

/** The loads under which a profile is taken; profiled-loads.ts tells what they are. */
export type ProfiledLoad = "addMoney" | "holdMoney" | "json" | "oneInFlight" | "batches" | "postgresAddMoney" | "postgresBatches";

/** Ratios of pairs that were measured in the same round, so that a machine that drifts drifts in both. */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): Spread {
  return spreadOf(ours.map((value, index) => value / theirs[index]!));
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function decimals(value: number, count: number): string {
  return value.toFixed(count);
}

/** The median and what it ranges over. */
export function spreadText({ median, min, max }: Spread, write: (value: number) => string): string {
  return `${write(median)} (${write(min)}–${write(max)})`;
}

/** Of a share from 0 to 1. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
