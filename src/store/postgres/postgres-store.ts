// The PostgreSQL engine's writing side: one transaction a batch, each on a connection of its own, tried again until it is settled whether it happened. A batch behind another one is decided ahead (docs/decisions/0028).

import { setTimeout as delay } from "node:timers/promises";
import type { Touched } from "../../domain/command.ts";
import type { Changes, LoadedState } from "../../domain/loaded-state.ts";
import { StoreFault, type Store } from "../store.ts";
import { canBeReadAhead, decisionsOf, foreseen, isSameHead, type DecidedBefore, type PartitionDecision } from "./ahead.ts";
import { BatchesUnderWay, type BatchUnderWay, type Decisions } from "./batches-under-way.ts";
import { commit } from "./commit.ts";
import type { Connections } from "./connection.ts";
import { faultOf, faultText, isOfOneNode, isOutage, isWaitedInVain, leavesConnection, verdictOf } from "./fault.ts";
import { askForHeads, load, lockHeads, type Loaded, type LoadedFrom } from "./load.ts";
import { MovedOperations } from "./moved-operations.ts";
import { drawNonce } from "./nonce.ts";
import { OldestKeys } from "./oldest-keys.ts";
import { Outage } from "./outage.ts";
import { OwnHeads } from "./own-heads.ts";
import type { Session } from "./session.ts";
import { wasCommitted, type Written } from "./settle.ts";
import type { Bound } from "./statement.ts";
import { PartitionTurns } from "./turns.ts";
import { writesOf } from "./write.ts";

/** How often at most where somebody else was in the way: conflicts pass at once, so more of them are no accident. */
const triesMax = 20;

/** The pause before another try, in milliseconds: up to so much, and twice as much each time, so that servers which were in each other's way do not meet again. */
const firstPauseMs = 5;
const pauseMaxMs = 500;

/** Batches that are decided ahead at a time: each keeps one of 16 connections (connection.ts), and those before them are to have some too. As many as stand behind others (postgres-ends.ts). */
const aheadsMax = 4;

type Plan<T> = (state: LoadedState) => { changes: readonly Changes[]; result: T };

/** What a batch comes to on what was loaded or foreseen, and how that is written. */
interface Decision<T> extends Loaded {
  readonly changes: readonly Changes[];
  readonly result: T;
  readonly nonce: bigint;
  /** Each may be made when it is asked for. */
  readonly writes: Iterable<Bound>;
}

/** The same, decided before the heads were locked. */
interface DecidedAhead<T> extends Decision<T> {
  /** On which it was read, and on which it is to be written. */
  readonly session: Session;
  /** The batches before, and what was known of each. */
  readonly on: readonly { readonly batch: BatchUnderWay; readonly decided: Decisions }[];
}

/** What one try came to; `lost` is what was heard instead of COMMIT's answer. */
type Outcome<T> = { readonly result: T } | { readonly result: T; readonly written: Written; readonly lost: unknown };

/** A store on these connections, which it closes. `clock` is the machine's time in milliseconds since 1970. */
export class PostgresStore implements Store {
  readonly partitionCount: number;
  readonly #connections: Connections;
  readonly #clock: () => number;
  readonly #movedOperations = new MovedOperations();
  readonly #turns = new PartitionTurns();
  readonly #outage = new Outage();
  readonly #oldestKeys = new OldestKeys();
  readonly #underWay = new BatchesUnderWay();
  readonly #ownHeads = new OwnHeads();
  /** Batches that are decided ahead, until their turn is over. */
  #aheads = 0;

  constructor(connections: Connections, clock: () => number, partitionCount: number) {
    this.partitionCount = partitionCount;
    this.#connections = connections;
    this.#clock = clock;
  }

  transact<T>(touched: readonly Touched[], plan: Plan<T>): Promise<T> {
    const partitions = touched.map(({ partition }) => partition);
    const { batch, before } = this.#underWay.begin(partitions);
    const isWorthwhile = before.size > 0 && canBeReadAhead(touched) && this.#ownHeads.areOwn(partitions) && this.#outage.knownFailure === undefined;
    const isAhead = isWorthwhile && this.#aheads < aheadsMax;
    if (isAhead) this.#aheads++;
    let ahead = isAhead ? this.#decideAhead(touched, plan, batch, before) : undefined;
    return this.#turns.take(partitions, async () => {
      try {
        assertNotHeldUp(before);
        const result = await this.#settled(async () => {
          const decided = await ahead;
          // What it was decided on holds for one try.
          ahead = undefined;
          return this.#attempt(touched, plan, batch, decided);
        });
        batch.noteCommitted();
        return result;
      } catch (error) {
        if (error instanceof StoreFault && error.partitions !== undefined) batch.noteHeldUp(error.partitions);
        throw error;
      } finally {
        this.#underWay.end(partitions, batch);
        if (isAhead) this.#aheads--;
        // Where it has failed without a try, nobody waits for what it may still be reading.
        void ahead?.then((decided) => decided?.session.release({ isBroken: false }));
      }
    });
  }

  async close(): Promise<void> {
    await this.#turns.settled();
    await this.#connections.close();
  }

  /** Tries until it is known what happened, and that it happened. */
  async #settled<T>(attempt: () => Promise<Outcome<T>>): Promise<T> {
    const known = this.#outage.knownFailure;
    if (known !== undefined) throw unavailable(known, 1);
    const outage = this.#outage;
    const { deadlineMs } = outage;
    for (let tries = 1; ; tries++) {
      const beganMs = performance.now();
      let failure: unknown;
      try {
        const outcome = await attempt();
        if (!("lost" in outcome) || (await wasCommitted(this.#connections, outcome.written, outcome.lost))) {
          outage.end();
          return outcome.result;
        }
        failure = outcome.lost;
      } catch (error) {
        if (isOutage(error)) outage.failed(beganMs, error);
        else outage.end();
        if (verdictOf(error, { hasSentCommit: false }) !== "undone") throw error;
        // Not tried again: it would keep everybody else's partitions waiting for those.
        if (error instanceof StoreFault && error.partitions !== undefined) throw error;
        failure = error;
      }
      const pauseMs = Math.random() * Math.min(pauseMaxMs, firstPauseMs * 2 ** tries);
      const isTriedEnough = tries >= triesMax && !isOutage(failure);
      if (isTriedEnough || performance.now() + pauseMs > Math.min(deadlineMs, outage.deadlineMs)) throw unavailable(failure, tries);
      await delay(pauseMs);
    }
  }

  /** Reads and decides while the batches before are being written. Undefined where that comes to nothing: then it is done in its turn. Never rejects. */
  async #decideAhead<T>(touched: readonly Touched[], plan: Plan<T>, batch: BatchUnderWay, before: ReadonlyMap<number, BatchUnderWay>): Promise<DecidedAhead<T> | undefined> {
    let session: Session | undefined;
    let isBroken = true;
    try {
      session = await this.#connections.take();
      const read = await load(session, touched, askForHeads(session, touched), this.#loadedFrom());
      isBroken = false;
      const batches = [...new Set(before.values())];
      await Promise.all(batches.map(({ whenDecided }) => whenDecided));
      const on = batches.map((each) => ({ batch: each, decided: each.decided }));
      const loaded = foreseen(read, touched, decidedBy(before));
      if (loaded === undefined) return undefined;
      const decision = decide(plan, loaded, batch);
      const decided = { ...decision, writes: [...decision.writes], session, on };
      session = undefined;
      return decided;
    } catch {
      // Whatever it is will be met again, where it can be answered for.
      return undefined;
    } finally {
      session?.release({ isBroken });
    }
  }

  #loadedFrom(): LoadedFrom {
    return { partitionCount: this.partitionCount, machineTimeMs: this.#clock(), movedOperations: this.#movedOperations, oldestKeys: this.#oldestKeys };
  }

  /** One transaction. What was decided ahead is written as it is where the heads are found as it expected them. */
  async #attempt<T>(touched: readonly Touched[], plan: Plan<T>, batch: BatchUnderWay, ahead: DecidedAhead<T> | undefined): Promise<Outcome<T>> {
    const kept = ahead?.session.isUsable === true ? ahead : undefined;
    if (kept === undefined) ahead?.session.release({ isBroken: true });
    const session = kept?.session ?? (await this.#connections.take());
    let isBroken = true;
    let locking: ReturnType<typeof lockHeads> = [];
    try {
      const beginning = session.send("BEGIN");
      locking = lockHeads(session, touched);
      const [, decision] = await Promise.all([beginning, this.#decideLocked(session, locking, touched, plan, batch, kept)]);
      const { changes, result, state, keyAges, heads, nonce, writes } = decision;
      for (const head of heads) this.#ownHeads.found(head);
      if (changes.length === 0) {
        // What is answered from what was there may be as young as the last commit: it is acknowledged here, so it too is to be wherever commits have to be.
        await session.commit();
        isBroken = false;
        return { result };
      }
      for (const { head, forgetKeysBeforeMs } of changes) {
        const { oldest } = keyAges.get(head.partition)!;
        if (oldest !== undefined) this.#oldestKeys.saw(head.partition, oldest, state.nowMs - forgetKeysBeforeMs);
      }
      const sent = sendAll(session, writes);
      const sentMs = performance.now();
      const lost = await commit(session, sent);
      isBroken = lost !== undefined;
      if (lost === undefined) {
        for (const { after } of batch.decided.values()) this.#ownHeads.left(after);
        return { result };
      }
      const partitions = changes.map((each) => ({ changes: each, lastOrdinal: keyAges.get(each.head.partition)!.lastOrdinal }));
      return { result, written: { partitions, nonce, sentMs }, lost };
    } catch (error) {
      // A transaction in which nothing was refused goes on: what a plan throws is no fault of the connection's.
      if (leavesConnection(error) && (await hasRolledBack(session))) isBroken = false;
      const partitions = await partitionsOf(error, touched, locking);
      throw partitions === undefined ? error : new StoreFault("unavailable", faultText(error), { cause: error, partitions });
    } finally {
      session.release({ isBroken });
    }
  }

  /** Decides on what there is behind the locks, unless that was foreseen. */
  async #decideLocked<T>(session: Session, locking: ReturnType<typeof lockHeads>, touched: readonly Touched[], plan: Plan<T>, batch: BatchUnderWay, ahead: DecidedAhead<T> | undefined): Promise<Decision<T>> {
    if (ahead?.on.every((before) => before.batch.committed === before.decided) === true) {
      const heads = await Promise.all(locking);
      if (heads.every((head, index) => head !== undefined && isSameHead(head, ahead.heads[index]!))) return ahead;
    }
    return decide(plan, await load(session, touched, locking, this.#loadedFrom()), batch);
  }
}

/** What the batches that stand before in these partitions have decided by now. */
function decidedBy(before: ReadonlyMap<number, BatchUnderWay>): DecidedBefore {
  const decisions = new Map<number, PartitionDecision>();
  const made = new Set<bigint>();
  for (const [partition, { decided }] of before) {
    const decision = decided.get(partition);
    if (decision !== undefined) decisions.set(partition, decision);
    for (const { changes } of decided.values()) for (const { operationId } of changes.records) made.add(operationId);
  }
  return { decisions, made };
}

/** Decides on what was loaded, and says so to the batch. */
function decide<T>(plan: Plan<T>, loaded: Loaded, batch: BatchUnderWay): Decision<T> {
  const { changes, result } = plan(loaded.state);
  batch.noteDecided(decisionsOf(changes, loaded.heads));
  const nonce = drawNonce();
  return { ...loaded, changes, result, nonce, writes: writesOfAll(changes, loaded.keyAges, nonce) };
}

/** Each made when it is asked for. */
function* writesOfAll(changes: readonly Changes[], keyAges: Loaded["keyAges"], nonce: bigint): Generator<Bound> {
  for (const each of changes) yield* writesOf(each, keyAges.get(each.head.partition)!, nonce);
}

/** Fails with a batch before that could not have a partition that is wanted here too, so that nobody waits for one head twice. Throws StoreFault. */
function assertNotHeldUp(before: ReadonlyMap<number, BatchUnderWay>): void {
  const heldUp = [...before].flatMap(([partition, batch]) => (batch.heldUp.includes(partition) ? [partition] : []));
  if (heldUp.length > 0) throw new StoreFault("unavailable", "the batch before it waited in vain for a partition that this one needs too", { partitions: heldUp });
}

/** Sends each as soon as it is made. Where one cannot be made, throws with the others under way: whoever catches it rolls back behind them. */
function sendAll(session: Session, writes: Iterable<Bound>): Promise<unknown>[] {
  const sent: Promise<unknown>[] = [];
  for (const write of writes) {
    const answer = session.send(write);
    // Heard of below, unless the next one throws.
    answer.catch(() => {});
    sent.push(answer);
  }
  return sent;
}

/** The partitions among which are those that the error is about, before anything was committed: the one whose head somebody keeps, or all where a node behind the server is gone. Undefined where it is about none of them. */
async function partitionsOf(failure: unknown, touched: readonly Touched[], locking: readonly Promise<unknown>[]): Promise<readonly number[] | undefined> {
  if (isOfOneNode(failure)) return touched.map(({ partition }) => partition);
  if (!isWaitedInVain(failure)) return undefined;
  const refused = (await Promise.allSettled(locking)).findIndex(({ status }) => status === "rejected");
  return refused === -1 ? undefined : [touched[refused]!.partition];
}

async function hasRolledBack(session: Session): Promise<boolean> {
  return session.send("ROLLBACK").then(
    () => true,
    () => false,
  );
}

function unavailable(error: unknown, tries: number): StoreFault {
  const fault = faultOf(error);
  const text = fault instanceof StoreFault ? fault.message : faultText(error);
  return new StoreFault("unavailable", tries === 1 ? text : `${text} (the last of ${tries} tries)`, { cause: error });
}
