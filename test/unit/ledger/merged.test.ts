// Several endless sources as one: each in its own order, nothing lost, no source read ahead, and the first failure ends it.

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { merged } from "../../../src/ledger/merged.ts";

/** A source that a test feeds, and that knows how often it was asked for more. */
class Source {
  readonly #values: (string | Error)[] = [];
  #news = Promise.withResolvers<void>();
  #hasEnded = false;
  asked = 0;

  push(...values: (string | Error)[]): void {
    this.#values.push(...values);
    this.#news.resolve();
  }
  end(): void {
    this.#hasEnded = true;
    this.#news.resolve();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      this.asked++;
      while (this.#values.length === 0) {
        if (this.#hasEnded) return;
        await this.#news.promise;
        this.#news = Promise.withResolvers();
      }
      const next = this.#values.shift()!;
      if (next instanceof Error) throw next;
      yield next;
    }
  }
}

const sources = (count: number): Source[] => Array.from({ length: count }, () => new Source());

async function taken(from: AsyncGenerator<{ index: number; value: string }>, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const { index, value } = (await from.next()).value!;
    values.push(`${index}${value}`);
  }
  return values;
}

describe("merged", () => {
  test("gives all values of all sources, each source's in its order", async () => {
    const [a, b, c] = sources(3) as [Source, Source, Source];
    const all = merged([a, b, c]);
    a.push("a", "b", "c");
    c.push("x", "y");
    const seen = await taken(all, 5);
    expect(seen.filter((value) => value.startsWith("0"))).toEqual(["0a", "0b", "0c"]);
    expect(seen.filter((value) => value.startsWith("2"))).toEqual(["2x", "2y"]);
    b.push("late");
    expect(await taken(all, 1)).toEqual(["1late"]);
  });

  test("lets none wait for the others", async () => {
    const [busy, idle] = sources(2) as [Source, Source];
    const all = merged([busy, idle]);
    for (let number = 0; number < 100; number++) {
      busy.push(`${number}`);
      expect(await taken(all, 1)).toEqual([`0${number}`]);
    }
    idle.push("now");
    expect(await taken(all, 1)).toEqual(["1now"]);
  });

  test("gives a source with much no more than its turn", async () => {
    const [a, b] = sources(2) as [Source, Source];
    a.push(...Array.from({ length: 100 }, () => "a"));
    b.push("b");
    expect(await taken(merged([a, b]), 3)).toContain("1b");
  });

  test("reads no source further ahead than one value", async () => {
    const [a] = sources(1) as [Source];
    a.push("1", "2", "3", "4");
    const all = merged([a]);
    await taken(all, 1);
    for (let count = 0; count < 10; count++) await turn();
    expect(a.asked).toBe(1);
    await taken(all, 1);
    expect(a.asked).toBe(2);
  });

  test("ends with the failure of any, after what was there before it", async () => {
    const [a, b] = sources(2) as [Source, Source];
    const all = merged([a, b]);
    a.push("first", new Error("the disk"));
    expect(await taken(all, 1)).toEqual(["0first"]);
    await expect(all.next()).rejects.toThrow("the disk");
  });

  test("ends when all have ended", async () => {
    const [a, b] = sources(2) as [Source, Source];
    const all = merged([a, b]);
    a.end();
    b.push("last");
    b.end();
    expect(await taken(all, 1)).toEqual(["1last"]);
    expect(await all.next()).toEqual({ done: true, value: undefined });
  });
});
