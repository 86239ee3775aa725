// Whether this process is alone on a partition: whether its head is where it was left here. Where others write too, what is decided before the head is locked is as a rule decided for nothing.
// After a COMMIT whose answer was lost, the head counts as somebody else's once.

import { isSameHead } from "./ahead.ts";
import type { HeadRow } from "./load.ts";

export class OwnHeads {
  readonly #known = new Map<number, { readonly head: HeadRow; readonly isOwn: boolean }>();

  /** It was locked, and is here. */
  found(head: HeadRow): void {
    const known = this.#known.get(Number(head.partition));
    this.#known.set(Number(head.partition), { head, isOwn: known === undefined || isSameHead(known.head, head) });
  }

  /** A batch that found it was committed, and has left it here. */
  left(head: HeadRow): void {
    const { isOwn } = this.#known.get(Number(head.partition))!;
    this.#known.set(Number(head.partition), { head, isOwn });
  }

  /** Whether nobody else had written there when it was last locked; of a partition that was not yet, nothing is known. */
  areOwn(partitions: readonly number[]): boolean {
    return partitions.every((partition) => this.#known.get(partition)?.isOwn === true);
  }
}
