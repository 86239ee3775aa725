// Reads what V8 writes with --trace-gc: a line for each pause, in the order in which they came to an end.

/** A pause of one thread. */
export interface Pause {
  /** V8's name of the thread's heap. */
  readonly isolate: string;
  /** How old the isolate was when the pause was over, in milliseconds. */
  readonly ageMs: number;
  readonly pauseMs: number;
}

/** The service's threads that take part in every call. */
export type ServiceThread = "main thread" | "writer thread";

/** Such as "[77:0x7f00]  781 ms: Mark-Compact 27.2 (43.8) -> 10.3 (29.2) MB, 16.56 / 0.01 ms  (+ 4.5 ms in 8 steps since start of marking, biggest step 3.7 ms, …". */
const pauseLine = /^\[\d+:(0x[0-9a-f]+)\] +(\d+) ms: (?:Scavenge|Mark-Compact|Minor Mark-Sweep)\b.* MB, ([\d.]+) \/ [\d.]+ ms(?:.*biggest step ([\d.]+) ms)?/;

/** Of marking that went in steps the largest one counts as a pause of its own; the others are shorter, and V8 does not tell them. Lines of other kinds are passed over. */
export function parsePauses(trace: string): Pause[] {
  return trace.split("\n").flatMap((line) => {
    const [, isolate, age, pause, step] = pauseLine.exec(line) ?? [];
    if (isolate === undefined) return [];
    return [pause!, step ?? "0"].map(Number).flatMap((pauseMs, index) => (index > 0 && pauseMs === 0 ? [] : [{ isolate, ageMs: Number(age), pauseMs }]));
  });
}

/**
 * The pauses between two ages of the main thread, by thread, in milliseconds. Isolates have no names, but come in the order in which their threads begin: the main one, then the writer's.
 * Each has an age of its own, so it is the main one's lines that tell where in the trace the time begins and ends.
 */
export function pausesByThread(pauses: readonly Pause[], { fromMs, untilMs }: { fromMs: number; untilMs: number }): Map<ServiceThread, number[]> {
  const [main, writer] = [...new Set(pauses.map(({ isolate }) => isolate))];
  const firstOf = (isPast: (ageMs: number) => boolean): number => {
    const index = pauses.findIndex(({ isolate, ageMs }) => isolate === main && isPast(ageMs));
    return index === -1 ? pauses.length : index;
  };
  const within = pauses.slice(firstOf((ageMs) => ageMs >= fromMs), firstOf((ageMs) => ageMs > untilMs));
  const of = (wanted: string | undefined): number[] => within.filter(({ isolate }) => isolate === wanted).map(({ pauseMs }) => pauseMs);
  return new Map([["main thread", of(main)], ["writer thread", of(writer)]]);
}
