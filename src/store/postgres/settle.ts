// Whether a transaction was committed whose COMMIT got no answer: what it wrote in one of its partitions tells.

import { setTimeout as delay } from "node:timers/promises";
import type { Changes } from "../../domain/loaded-state.ts";
import { keyToRow } from "../rows.ts";
import { StoreFault } from "../store.ts";
import { withSession, type Connections } from "./connection.ts";
import { faultText } from "./fault.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import { statement } from "./statement.ts";

/** How long after COMMIT was sent it is tried, in milliseconds: a standby takes some seconds to be promoted, and whoever asked is to hear something before a process that goes down ends its connections, after 8 s. */
const settleMaxMs = 6_500;

/** Between two tries, in milliseconds: each is a small transaction. */
const pauseMs = 100;

/** What was written in one partition and may be there, and the last ordinal that had been given there before. */
interface WrittenInPartition {
  readonly changes: Changes;
  readonly lastOrdinal: bigint;
}

/** What was written and may be there. */
export interface Written {
  /** At least one. */
  readonly partitions: readonly WrittenInPartition[];
  /** What the try drew. */
  readonly nonce: bigint;
  /** When COMMIT was sent, on `performance`'s clock. */
  readonly sentMs: number;
}

const recordAt = statement<{ partition: bigint; sequence: bigint }, { hash: Uint8Array; nonce: bigint | null }>("record at", (db, arg) =>
  db.selectFrom("journal").select(["hash", "nonce"]).where("partition", "=", arg("partition", "bigint")).where("sequence", "=", arg("sequence", "bigint")),
);

const keysFrom = statement<{ partition: bigint; first: bigint; last: bigint }, { ordinal: bigint; key_hash: Uint8Array; fingerprint: Uint8Array; time_ms: bigint }>("keys from", (db, arg) =>
  db
    .selectFrom("idempotency_keys")
    .select(["ordinal", "key_hash", "fingerprint", "time_ms"])
    .where("partition", "=", arg("partition", "bigint"))
    .where("ordinal", ">=", arg("first", "bigint"))
    .where("ordinal", "<=", arg("last", "bigint"))
    .orderBy("partition")
    .orderBy("ordinal"),
);

/** Waits until the server has done with the transaction, and looks. Throws StoreFault "unknown" where nobody can be asked for too long. */
export async function wasCommitted(connections: Connections, written: Written, lost: unknown): Promise<boolean> {
  const deadlineMs = written.sentMs + settleMaxMs;
  const unknown = (later: string, cause: unknown): StoreFault => new StoreFault("unknown", `COMMIT: ${faultText(lost)}; then${later}: ${faultText(cause)}`, { cause });
  let failure: unknown = new StoreFault("unavailable", "no answer");
  while (performance.now() < deadlineMs) {
    try {
      const answer = await Promise.race([withSession(connections, (session) => isThere(session, written)), delay(deadlineMs - performance.now(), undefined, { ref: false })]);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!(error instanceof StoreFault)) throw unknown("", error);
      failure = error;
      await delay(pauseMs);
    }
  }
  throw unknown(`, until ${settleMaxMs} ms after it was sent`, failure);
}

/**
 * A commit has all or none, so a record in one partition tells of all of them: in one whose head is locked here, since the transaction has that lock for as long as it lives, on whichever machine the others are. Keys
 * alone are looked for in all: others may have some of the same, and what is taken for undone is replayed. What is there is committed once more: the lock is in the log behind it, so this too waits for the standby if there is one, which whoever ended the backend has not waited for.
 */
async function isThere(session: Session, { partitions, nonce }: Written): Promise<boolean> {
  const telling = partitions.find(({ changes }) => changes.records.length > 0) ?? partitions[0]!;
  const partition = BigInt(telling.changes.head.partition);
  const look = async (): Promise<boolean> => {
    if (telling.changes.records.length > 0) return isRecordThere(session, telling.changes, nonce);
    return (await Promise.all(partitions.map((each) => areKeysThere(session, each)))).every((isThereToo) => isThereToo);
  };
  const [, head, isFound] = await Promise.all([session.send("BEGIN"), session.get(queries.lockHead, { partition }), look()]);
  await session.commit();
  if (head === undefined) throw new Error(`partition ${partition} has no journal any more`);
  return isFound;
}

/** The last one's sequence may since be another server's. Its hash covers the predecessor's, the content and the time; where all of that may be the same, the nonce is another. */
async function isRecordThere(session: Session, { records, head }: Changes, nonce: bigint): Promise<boolean> {
  const last = records.at(-1)!;
  const row = await session.get(recordAt, { partition: BigInt(head.partition), sequence: last.sequence });
  return row !== undefined && Buffer.compare(row.hash, last.hash) === 0 && row.nonce === nonce;
}

/** Where nothing but rejections was written: their ordinals may since be another server's keys, and where those are the same, they were refused the same. */
async function areKeysThere(session: Session, { changes: { keys, head }, lastOrdinal }: WrittenInPartition): Promise<boolean> {
  const rows = await session.all(keysFrom, { partition: BigInt(head.partition), first: lastOrdinal + 1n, last: lastOrdinal + BigInt(keys.length) });
  return keys.every((key, index) => {
    const expected = keyToRow(head.partition, lastOrdinal + BigInt(index) + 1n, key);
    const row = rows[index];
    const isSame = (one: Uint8Array | undefined, other: Uint8Array): boolean => one !== undefined && Buffer.compare(one, other) === 0;
    return row?.ordinal === expected.ordinal && row.time_ms === expected.time_ms && isSame(row.key_hash, expected.key_hash) && isSame(row.fingerprint, expected.fingerprint);
  });
}
