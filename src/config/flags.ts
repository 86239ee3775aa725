// The command line: which words are flags, and which values they carry.

import { ConfigError } from "./config-error.ts";
import { nearest } from "./nearest.ts";

/** What may be written after the program's name. */
export interface KnownFlag {
  /** With its dashes: `--listen`. */
  readonly flag: string;
  /** Whether it may stand alone, meaning "true". */
  readonly mayStandAlone: boolean;
}

/**
 * The values by flag, from `--flag=value`, `--flag value` and, where the flag may stand alone, `--flag`. Throws a ConfigError that names what is
 * unknown, missing or given twice; it never repeats a value, which may be a secret.
 */
export function parseFlags(words: readonly string[], known: readonly KnownFlag[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const [, flag = word, inline] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const entry = known.find((candidate) => candidate.flag === flag);
    if (entry === undefined) throw new ConfigError(unknownFlag(flag, known));
    if (values.has(flag)) throw new ConfigError(`${flag} is given twice; give it once.`);
    const next = words[index + 1];
    const takesNext = inline === undefined && next !== undefined && (entry.mayStandAlone ? /^(true|false|1|0)$/.test(next) : !next.startsWith("--"));
    const value = inline ?? (takesNext ? next : entry.mayStandAlone ? "true" : "");
    if (value === "") throw new ConfigError(`${flag} needs a value: ${flag}=…; --help says what it takes.`);
    if (takesNext) index++;
    values.set(flag, value);
  }
  return values;
}

function unknownFlag(flag: string, known: readonly KnownFlag[]): string {
  if (!flag.startsWith("--")) return `${JSON.stringify(flag)} is not a flag; flags start with two dashes, and --help lists them all. Commands stand first: verify and copy; without one the service is started. npm takes those of its own command line for itself: npm start -- --listen=….`;
  const meant = nearest(flag, known.map((entry) => entry.flag));
  return `There is no flag ${flag}; ${meant === undefined ? "" : `did you mean ${meant}? `}--help lists them all.`;
}
