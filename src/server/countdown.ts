// Times after which a call or its body is too late. Nearly all of them end before: a countdown that is young costs a slot, no timer.

import { Slots } from "./slots.ts";

/** How long a countdown is young, in milliseconds; at most twice as long. */
const youthMs = 50;

let young = new Slots<Countdown>();
let older = new Slots<Countdown>();
let nextLook: NodeJS.Timeout | undefined;

/** Calls `onOver` when its time is over, as exactly as a timer does, unless it is stopped before. */
export class Countdown {
  readonly #onOver: () => void;
  readonly #dueMs: number;
  /** Where it is while it has no timer. */
  readonly #among = young;
  #slot: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, onOver: () => void) {
    this.#onOver = onOver;
    this.#dueMs = performance.now() + ms;
    if (ms <= 2 * youthMs) {
      this.#timer = setTimeout(onOver, ms);
      return;
    }
    this.#slot = young.add(this);
    nextLook ??= setTimeout(look, youthMs);
  }

  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#leave();
  }

  /** From now on it has a timer of its own, which is due at once where the thread was too busy to look in time. */
  grow(nowMs: number): void {
    this.#leave();
    this.#timer = setTimeout(this.#onOver, Math.max(1, this.#dueMs - nowMs));
  }

  #leave(): void {
    if (this.#slot !== undefined) this.#among.remove(this.#slot);
    this.#slot = undefined;
  }
}

/** Those that were here at the last look are no longer young. */
function look(): void {
  const nowMs = performance.now();
  older.forEach((countdown) => countdown.grow(nowMs));
  [young, older] = [older, young];
  nextLook = older.size > 0 ? setTimeout(look, youthMs) : undefined;
}
