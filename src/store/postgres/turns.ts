// One transaction a partition at a time in this process: here a wait costs a promise, and in front of the head's lock it would cost a connection.

/** Work on partitions, in the order in which it was asked for. */
export class PartitionTurns {
  readonly #last = new Map<number, Promise<void>>();

  /** Does the work once all that was asked for earlier on any of these partitions is done. All places are taken at once, so nobody waits on each other. */
  take<T>(partitions: readonly number[], work: () => Promise<T>): Promise<T> {
    const mine = Promise.all(partitions.map((partition) => this.#last.get(partition) ?? Promise.resolve())).then(work);
    const done = ended(mine);
    for (const partition of partitions) this.#last.set(partition, done);
    return mine;
  }

  /** Resolves when everything is done that has been asked for. */
  async settled(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}

/** However it ended. */
async function ended(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {});
}
