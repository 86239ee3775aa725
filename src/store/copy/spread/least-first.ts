// A queue that gives the least of what is in it: a binary heap.

export class LeastFirst<Value> {
  readonly #values: Value[] = [];
  readonly #isBefore: (a: Value, b: Value) => boolean;

  constructor(isBefore: (a: Value, b: Value) => boolean) {
    this.#isBefore = isBefore;
  }

  put(value: Value): void {
    const values = this.#values;
    let at = values.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(values[at]!, values[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The least, which is in it no more; undefined where it is empty. */
  take(): Value | undefined {
    const values = this.#values;
    const least = values[0];
    const last = values.pop();
    if (last === undefined || values.length === 0) return least;
    values[0] = last;
    for (let at = 0; ; ) {
      let smallest = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < values.length && this.#isBefore(values[child]!, values[smallest]!)) smallest = child;
      if (smallest === at) return least;
      this.#swap(at, smallest);
      at = smallest;
    }
  }

  #swap(a: number, b: number): void {
    [this.#values[a], this.#values[b]] = [this.#values[b]!, this.#values[a]!];
  }
}
