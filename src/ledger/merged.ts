// Several endless sources as one: whichever has something next, each in its own order, none read further ahead than one value.

interface Offered<Value> {
  readonly index: number;
  readonly value: Value;
  /** Lets its source go on. */
  taken(): void;
}

/** The values of all sources with the number of the source. Ends with the first failure of any, or when all have ended; ending the sources is for whoever made them. */
export async function* merged<Value>(sources: readonly AsyncIterable<Value>[]): AsyncGenerator<{ readonly index: number; readonly value: Value }> {
  const offered: Offered<Value>[] = [];
  let news = Promise.withResolvers<void>();
  let running = sources.length;
  let failure: { readonly error: unknown } | undefined;

  const pump = async (source: AsyncIterable<Value>, index: number): Promise<void> => {
    try {
      for await (const value of source) {
        await new Promise<void>((resolve) => {
          offered.push({ index, value, taken: resolve });
          news.resolve();
        });
      }
    } catch (error) {
      failure ??= { error };
    } finally {
      running--;
      news.resolve();
    }
  };
  for (const [index, source] of sources.entries()) void pump(source, index);

  for (;;) {
    const next = offered.shift();
    if (next !== undefined) {
      yield { index: next.index, value: next.value };
      next.taken();
    } else if (failure !== undefined) {
      throw failure.error;
    } else if (running === 0) {
      return;
    } else {
      await news.promise;
      news = Promise.withResolvers();
    }
  }
}
