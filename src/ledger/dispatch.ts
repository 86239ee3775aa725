// Which of the commands that wait go together, and when: what the queue asks before each batch.

/** What is looked at of a command that waits. */
export interface Lined {
  /** Those that it touches, each once. */
  readonly partitions: readonly number[];
  /** How many operations it may make. */
  readonly weight: number;
  /** Whether it shares no transaction. */
  readonly goesAlone: boolean;
}

export interface Dispatch {
  /** The next batch out of those that wait, in their order; empty where none may go now. It is under way until `end`. */
  begin<Waiting extends Lined>(waiting: readonly Waiting[]): readonly Waiting[];
  /** The batch is over. `heldUp`: nothing of it was done, for the sake of one or more of these partitions; none where it was done. */
  end(batch: readonly Lined[], heldUp: readonly number[]): void;
}
