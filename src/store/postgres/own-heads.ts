// Whether this process is alone on a partition: whether its head is where it was left here. Where others write too, what is decided before the head is locked is as a rule decided for nothing.

import { isSameHead, type Head } from "./ahead.ts";

export class OwnHeads {
  readonly #known = new Map<number, { readonly head: Head; readonly isOwn: boolean }>();

  /** It was locked, and is here. */
  found(head: Head): void {
    const known = this.#known.get(Number(head.partition));
    this.#known.set(Number(head.partition), { head, isOwn: known === undefined || isSameHead(known.head, head) });
  }

  /** A batch was committed, and has left it here. */
  left(head: Head): void {
    const isOwn = this.#known.get(Number(head.partition))?.isOwn ?? true;
    this.#known.set(Number(head.partition), { head, isOwn });
  }

  /** Whether nobody else had written there when it was last locked; of a partition that was not yet, nothing is known. */
  areOwn(partitions: readonly number[]): boolean {
    return partitions.every((partition) => this.#known.get(partition)?.isOwn === true);
  }
}
