// Values in a row, as they cross between the threads: one text of JSON costs a fraction of the structured clone of the objects that it tells of.

/** What JSON carries as it is, and an object of texts. Null stands for undefined. */
export type Word = string | number | boolean | null | Readonly<Record<string, string>>;

const safeMax = BigInt(Number.MAX_SAFE_INTEGER);

/** A bigint of any size, exactly: as a number where that is exact, otherwise as its digits. */
export function integerWord(value: bigint): Word {
  return value <= safeMax && value >= -safeMax ? Number(value) : String(value);
}

/** The same of one that may be missing. */
export function optionalIntegerWord(value: bigint | undefined): Word {
  return value === undefined ? null : integerWord(value);
}

/** Takes the words in the order in which they were written. Whoever reads asks for what was written there: nothing is checked a second time. */
export class WordReader {
  readonly #words: readonly unknown[];
  #at = 0;

  /** `text` is the JSON of a list of words. */
  constructor(text: string) {
    this.#words = JSON.parse(text) as unknown[];
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  /** A text, a number, a flag or an object of texts. */
  next(): Exclude<Word, null> {
    return this.#words[this.#at++] as Exclude<Word, null>;
  }

  /** The same of one that may be missing. */
  optional(): Exclude<Word, null> | undefined {
    return (this.#words[this.#at++] as Word) ?? undefined;
  }

  integer(): bigint {
    return BigInt(this.#words[this.#at++] as number | string);
  }

  optionalInteger(): bigint | undefined {
    const word = this.#words[this.#at++] as number | string | null;
    return word === null ? undefined : BigInt(word);
  }
}
