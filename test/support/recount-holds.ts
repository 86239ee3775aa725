// What a journal's record does to a hold, computed once more: its status, what was captured of it, when it is eligible. Knows nothing of src/.

import type { JournalRow } from "./canonical-bytes.ts";
import type { Kind, WalletRow, Wrong } from "./recount.ts";

export const holdStatus = { active: 1n, released: 2n, reversed: 3n, captured: 4n } as const;

/** A row of `holds`, but for the partition. */
export interface HoldRow {
  readonly hold_id: bigint;
  readonly wallet_id: bigint;
  readonly currency: string;
  readonly amount_minor: bigint;
  captured_minor: bigint;
  status: bigint;
  readonly create_time_ms: bigint;
  eligible_time_ms: bigint;
  resolve_time_ms: bigint | null;
  readonly previous_hold_id: bigint;
}

const holdKinds: ReadonlySet<Kind> = new Set(["HOLD", "RELEASE", "REVERSE", "CAPTURE", "EXTEND"]);

/** The hold that the record makes or changes, as it is after it; undefined where there is none, or none that makes sense. */
export function applyToHold(holds: Map<bigint, HoldRow>, wallet: WalletRow, kind: Kind, row: JournalRow, wrong: Wrong): HoldRow | undefined {
  const { hold_id: id, hold_status_after: status, hold_captured_after_minor: captured, hold_eligible_time_ms: eligible } = row;
  if (!holdKinds.has(kind)) {
    if ((id ?? status ?? captured ?? eligible) !== null) wrong("says something of a hold and does nothing to one");
    return undefined;
  }
  if (id === null || status === null || captured === null || eligible === null) {
    wrong("does not say which hold it changes to what");
    return undefined;
  }
  const hold = kind === "HOLD" ? placed(wallet, row, id, eligible, wrong) : changed(holds.get(id), kind, row, id, eligible, wrong);
  if (hold === undefined) return undefined;
  if (kind === "HOLD") holds.set(id, hold);
  if (status !== hold.status) wrong(`leaves hold ${id} in status ${status}, recomputed ${hold.status}`);
  if (captured !== hold.captured_minor) wrong(`leaves hold ${id} with ${captured} captured, recomputed ${hold.captured_minor}`);
  if (eligible !== hold.eligible_time_ms) wrong(`changes the eligible time of hold ${id}`);
  return hold;
}

function placed(wallet: WalletRow, row: JournalRow, id: bigint, eligible: bigint, wrong: Wrong): HoldRow {
  if (id !== row.operation_id) wrong(`places hold ${id}, whose id is not the operation's`);
  if (eligible < row.time_ms) wrong("places a hold that was eligible before it was there");
  const previous = wallet.last_hold_id;
  wallet.last_hold_id = id;
  return {
    hold_id: id,
    wallet_id: row.wallet_id,
    currency: wallet.currency,
    amount_minor: row.amount_minor,
    captured_minor: 0n,
    status: holdStatus.active,
    create_time_ms: row.time_ms,
    eligible_time_ms: eligible,
    resolve_time_ms: null,
    previous_hold_id: previous,
  };
}

function changed(hold: HoldRow | undefined, kind: Kind, row: JournalRow, id: bigint, eligible: bigint, wrong: Wrong): HoldRow | undefined {
  if (hold === undefined) {
    wrong(`changes hold ${id}, which was never placed`);
    return undefined;
  }
  if (hold.wallet_id !== row.wallet_id) wrong(`changes hold ${id} of another wallet`);
  if (hold.status !== holdStatus.active) wrong(`changes hold ${id}, which was resolved`);
  const remaining = hold.amount_minor - hold.captured_minor;
  switch (kind) {
    case "RELEASE":
    case "REVERSE":
      if (row.amount_minor !== remaining) wrong(`gives back ${row.amount_minor} of hold ${id}, of which ${remaining} remained`);
      if (kind === "RELEASE" && row.time_ms < hold.eligible_time_ms) wrong(`releases hold ${id} before it was eligible`);
      hold.status = kind === "RELEASE" ? holdStatus.released : holdStatus.reversed;
      break;
    case "CAPTURE":
      if (row.amount_minor > remaining) wrong(`captures ${row.amount_minor} of hold ${id}, of which ${remaining} remained`);
      hold.captured_minor += row.amount_minor;
      // A capture of a part may end the hold or not, as was asked; only the record knows.
      if (row.amount_minor >= remaining || row.hold_status_after !== holdStatus.active) hold.status = holdStatus.captured;
      break;
    case "EXTEND":
      if (eligible <= hold.eligible_time_ms) wrong(`makes the period of hold ${id} no longer`);
      hold.eligible_time_ms = eligible;
      break;
    default:
      throw new Error(`${kind} changes no hold`);
  }
  if (hold.status !== holdStatus.active) hold.resolve_time_ms = row.time_ms;
  return hold;
}
