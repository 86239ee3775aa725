// Which wallet the load's next operation is on: any of them, or, as in real life, few of them most of the time.

/** `zipf`: the wallet of rank r is taken 1/r as often as the first, Zipf's law with the exponent 1. */
export type Popularity = "uniform" | "zipf";

/** What the ranks are dealt out with, so that the same wallets are popular in every process and every run. */
const seed = 8;

/** Answers numbers of wallets below `wallets`. */
export function walletPicker(wallets: number, popularity: Popularity): () => number {
  return popularity === "uniform" ? () => Math.floor(Math.random() * wallets) : zipfPicker(wallets);
}

function zipfPicker(wallets: number): () => number {
  const upTo = new Float64Array(wallets);
  let sum = 0;
  for (let rank = 0; rank < wallets; rank++) upTo[rank] = sum += 1 / (rank + 1);
  const walletOfRank = shuffled(wallets);
  return () => walletOfRank[rankAt(upTo, Math.random() * sum)]!;
}

/** The first rank up to which there is more than `place`. */
function rankAt(upTo: Float64Array, place: number): number {
  let [low, high] = [0, upTo.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (upTo[middle]! > place) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The numbers below `count`, in an order that is always the same (Fisher–Yates): popular wallets have neighbours in no index and no partition. */
function shuffled(count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  const random = mulberry32(seed);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [numbers[last], numbers[other]] = [numbers[other]!, numbers[last]!];
  }
  return numbers;
}

/** Numbers from 0 to 1 that are the same for the same seed (Tommy Ettinger's generator, in the public domain). */
function mulberry32(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
