// Whether the runs of keys are well formed: their ordinals without gaps, their entries in order, their filters those of their entries.

import type Database from "better-sqlite3";
import type { Audit } from "../../audit/audit.ts";
import type { KeyRunTable } from "../../tables.ts";
import { prepareAll } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import { isSound } from "./audited-keys.ts";
import { runStates } from "./key-runs.ts";
import { prepareRunCheck, type RunCheck } from "./run-check.ts";

/** Chunks that one snapshot looks at: some 10 ms. */
const chunksPerStep = 50;

/** First all rows of runs at once, then every live run's content. That every key is found in them is another comparison's to say. */
export function runsComparison(connection: Database.Database, { partition, mismatches }: Parameters<Audit["ownComparisons"]>[0]): () => Promise<boolean> {
  const queries = prepareAll(connection, writtenQueries.queries);
  const keys = prepareAll(connection, writtenQueries.keyRows);
  const runs = prepareAll(connection, writtenQueries.keyRuns);
  const beginCheck = prepareRunCheck(connection, mismatches);
  const strays = ["key_chunks", "key_filters"].map((table) => {
    const next = connection.prepare<[bigint, unknown], { run: unknown }>(`select run from ${table} where partition = ? and run > ? order by run limit 1`);
    return { table, next: (after: unknown) => next.get(partition, after) };
  });
  let areRowsChecked = false;
  let lastRun = 0n;
  let check: { readonly row: KeyRunTable; readonly of: RunCheck } | undefined;

  const checkRows = (rows: readonly KeyRunTable[]): void => {
    for (const row of rows) checkForm(row);
    const sound = rows.filter(isSound);
    const live = sound.filter(({ state }) => state === runStates.live).toSorted((a, b) => (a.last_ordinal < b.last_ordinal ? -1 : 1));
    const oldest = keys.oldest.get({ partition })?.ordinal;
    for (const [place, { run, level, first_ordinal: first, last_ordinal: last }] of live.entries()) {
      const subject = `run ${run} of keys`;
      const before = live[place - 1];
      if (last < first) mismatches.add({ subject: `${subject}: last ordinal`, expected: `not before ${first}`, actual: `${last}` });
      if (before !== undefined) mismatches.compare(`${subject}: first ordinal`, `${before.last_ordinal + 1n}`, `${first}`);
      else if (oldest !== undefined && first > oldest) mismatches.add({ subject: `${subject}: first ordinal`, expected: `${oldest} or before: the oldest key's`, actual: `${first}` });
      if (before !== undefined && level > before.level) mismatches.add({ subject: `${subject}: level`, expected: `${before.level} or less, as of the older run ${before.run}`, actual: `${level}` });
    }
    const given = queries.head.get({ partition })?.key_ordinal;
    const newest = live.at(-1);
    if (newest !== undefined && given !== undefined && newest.last_ordinal > given) mismatches.add({ subject: `run ${newest.run} of keys: last ordinal`, expected: `${given} or before: the last that was given`, actual: `${newest.last_ordinal}` });
    // What a run that is not live had, live ones have now, unless it was forgotten.
    const lastOrdinal = newest?.last_ordinal ?? 0n;
    for (const { run, state, last_ordinal: last } of sound) {
      if (state === runStates.live || last <= lastOrdinal || oldest === undefined || last < oldest) continue;
      mismatches.add({ subject: `run ${run} of keys: state`, expected: "live", actual: `${state}` });
    }
    for (const { table, next } of strays) {
      const known = new Set<unknown>(rows.map(({ run }) => run));
      for (let stray = next(0n); stray !== undefined; stray = next(stray.run)) {
        if (!known.has(stray.run)) mismatches.add({ subject: `table ${table}`, expected: "rows of runs that there are", actual: `rows of run ${String(stray.run)}` });
        // Text of a number is behind every number and not behind itself as one: there would be no end to it.
        if (typeof stray.run !== "bigint") break;
      }
    }
  };

  const checkForm = (row: KeyRunTable): void => {
    const subject = `run ${String(row.run)} of keys`;
    for (const [column, value] of Object.entries(row)) {
      const isRight = column === "hash" ? value instanceof Uint8Array : typeof value === "bigint" && value >= 0n;
      if (!isRight) mismatches.add({ subject: `${subject}: ${column}`, expected: column === "hash" ? "bytes" : "a number", actual: String(value) });
    }
    if (typeof row.state !== "bigint" || Object.values<bigint>(runStates).includes(row.state)) return;
    mismatches.add({ subject: `${subject}: state`, expected: "building, live or dead", actual: `${row.state}` });
  };

  return async () => {
    const rows = runs.runs.all({ partition });
    if (!areRowsChecked) {
      checkRows(rows);
      areRowsChecked = true;
    }
    const live = rows.filter((row) => isSound(row) && row.state === runStates.live);
    // A run that was merged meanwhile is part of one that comes later.
    if (check === undefined || !live.some(({ run }) => run === check!.row.run)) {
      const row = live.find(({ run }) => run > lastRun);
      if (row === undefined) return true;
      lastRun = row.run;
      check = { row, of: beginCheck(row) };
    }
    if (check.of.step(chunksPerStep)) check = undefined;
    return false;
  };
}
