// The flags of `copy`, which says by them alone what is copied where: no variable can make it copy something else.

import { partitionsMax } from "../domain/partitions.ts";
import { ConfigError } from "./config-error.ts";
import { parseFlags } from "./flags.ts";
import { database, integer, optional, type Kind } from "./kinds.ts";
import { databaseText } from "./database-text.ts";
import { quoted } from "./quoted.ts";
import { settings } from "./settings.ts";
import type { Database } from "../database.ts";

/** What is copied, and where to. */
export interface CopyConfig {
  readonly from: Database;
  readonly to: Database;
  /** Of the new ledger; undefined: the source's. */
  readonly partitions: number | undefined;
  /** How long the ledger has kept its keys, for the verification at the end. Milliseconds. */
  readonly idempotencyRetentionMs: number;
}

const retention = settings.idempotencyRetentionMs;

/** Reads the flags behind `copy`; of the environment the retention only. Throws ConfigError with a sentence. */
export function readCopyFlags(args: readonly string[], env: Readonly<Record<string, string | undefined>>): CopyConfig {
  const known = ["--from", "--to", "--partitions", "--idempotency-retention"].map((flag) => ({ flag, mayStandAlone: false }));
  const flags = parseFlags(args, known);
  const read = <T>(name: string, kind: Kind<T>, text: string | undefined): T => {
    if (text === undefined) throw new ConfigError(`copy needs ${name}, which takes ${kind.accepts}; copy --help says more.`);
    try {
      return kind.parse(text);
    } catch (error) {
      throw new ConfigError(`${name} is ${quoted(text)}; ${error instanceof Error ? error.message : String(error)}.`);
    }
  };
  const [from, to] = [read("--from", database, flags.get("--from")), read("--to", database, flags.get("--to"))];
  if (databaseText(from) === databaseText(to)) throw new ConfigError(`--from and --to are the same, ${databaseText(from)}; a copy needs another place.`);
  const variable = env[retention.name] === "" ? undefined : env[retention.name];
  return {
    from,
    to,
    partitions: read("--partitions", optional(integer(1, partitionsMax)), flags.get("--partitions") ?? ""),
    idempotencyRetentionMs: read("--idempotency-retention", retention.kind, flags.get("--idempotency-retention") ?? variable ?? retention.default),
  };
}

/** The text of `copy --help`. */
export function copyHelpText(version: string): string {
  return `headless-wallet ${version}, copy: moves a ledger to another database, whole, and verifies it there.

Usage: npm run copy -- --from sqlite:./data/wallet.db --to postgres://user:password@host:5432/name [--partitions 16]

Journal, balances, holds, counters and idempotency keys are copied; ids stay as they are. Stop the source's servers first: a served SQLite file is refused,
and the servers of a PostgreSQL ledger answer UNAVAILABLE while it is copied, but acknowledge changes again afterwards, which the target does not have.
The source is not changed. The target must be empty, or hold the beginning of the same copy: one that was interrupted goes on where it was when it is
started again. Until it is finished no service starts on the target.

  --from
      The ledger to copy: sqlite: and the path of a file, or postgres://…
  --to
      Where to: the same.
  --partitions (the source's)
      Spreads the ledger over so many partitions, from 1 to ${partitionsMax}. Its journals are then chained anew, behind the hashes of the old ones' ends.
  --idempotency-retention, ${retention.name} (${retention.default})
      What the services are given: the verification expects younger keys to be there.

Exit codes: 0 copied, and everything fits; 1 what was copied does not fit its own journal, as the lines tell; 2 it could not be done, and why.
Progress goes to stderr, the result to stdout.
`;
}
