// Times after which a call or its body is too late. Nearly all of them end before: a countdown that is young costs a place in a set, no timer.

/** How long a countdown is young, in milliseconds; at most twice as long. */
const youthMs = 50;

let young = new Set<Countdown>();
let older = new Set<Countdown>();
let nextLook: NodeJS.Timeout | undefined;

/** Calls `onOver` when its time is over, as exactly as a timer does, unless it is stopped before. */
export class Countdown {
  readonly #onOver: () => void;
  readonly #dueMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, onOver: () => void) {
    this.#onOver = onOver;
    this.#dueMs = performance.now() + ms;
    if (ms <= 2 * youthMs) {
      this.#timer = setTimeout(onOver, ms);
      return;
    }
    young.add(this);
    nextLook ??= setTimeout(look, youthMs);
  }

  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    else if (!young.delete(this)) older.delete(this);
  }

  /** From now on it has a timer of its own. */
  grow(nowMs: number): void {
    this.#timer = setTimeout(this.#onOver, this.#dueMs - nowMs);
  }
}

/** Those that were here at the last look are no longer young. */
function look(): void {
  const nowMs = performance.now();
  for (const countdown of older) countdown.grow(nowMs);
  older.clear();
  [young, older] = [older, young];
  nextLook = older.size > 0 ? setTimeout(look, youthMs) : undefined;
}
