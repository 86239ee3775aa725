// A set for what comes and goes with every call.
//
// V8's own Set and Map would keep the calls alive long after their end: they make a new table after some deletions, and the old one, dead, still leads to the new one.
// Once one of them has grown old, no collection of young garbage frees those that follow, nor anything that was in them; only the next full collection does
// (docs/decisions/0025).

import assert from "node:assert/strict";

/** Members are known by the slot that they were given. It stays as long as the most members that there ever were. */
export class Slots<T extends object> {
  readonly #members: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#members.length - this.#free.length;
  }

  /** Answers the member's slot, which is its own until it is removed. */
  add(member: T): number {
    const slot = this.#free.pop() ?? this.#members.length;
    this.#members[slot] = member;
    return slot;
  }

  /** Once for each slot that was given. */
  remove(slot: number): void {
    assert(this.#members[slot] !== undefined, "a slot is left once");
    this.#members[slot] = undefined;
    this.#free.push(slot);
  }

  /** The members in no order. Whoever looks at them may remove them; one that is added meanwhile may or may not be seen. */
  forEach(look: (member: T) => void): void {
    for (const member of this.#members) if (member !== undefined) look(member);
  }
}
