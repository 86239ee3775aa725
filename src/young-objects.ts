// How much memory V8 gives young objects. It takes that once, when a process begins, and only the configuration says which engine the ledger is in.

/** What `npm start` gives, in MiB: what fits a ledger in SQLite, whose writer thread has as much again. */
const givenByStartMiB = "8";

/** On PostgreSQL each network thread does all of its work, and what a batch is made of lives for a round trip or two: collected while it is alive, it is copied, and twice copied it is old. In MiB. */
const onPostgresMiB = "32";

const sizeFlag = /^--max[-_]semi[-_]space[-_]size=(.*)$/;

/**
 * Begins this process anew, with the same id and arguments and the environment as it is by now (with what .env and bin/start-phase.js have added), and room for what the service keeps in flight on PostgreSQL. Does nothing where it has that, where somebody has chosen a size of their own, and where a process cannot
 * begin anew: on Windows, without the permission, or with a parent that talks to it through a channel. To be called before anything is opened.
 */
export function takeRoomForPostgres(): void {
  const { execArgv, env } = process;
  if (!isLeftToUs(execArgv, env) || process.execve === undefined || process.connected) return;
  const flags = execArgv.filter((flag) => !sizeFlag.test(flag));
  try {
    process.execve(process.execPath, [process.execPath, ...flags, `--max-semi-space-size=${onPostgresMiB}`, ...process.argv.slice(1)], env);
  } catch {
    // It serves all the same, and slower.
  }
}

/** Whether nobody has chosen a size but `npm start`. */
function isLeftToUs(execArgv: readonly string[], { NODE_OPTIONS: options = "" }: NodeJS.ProcessEnv): boolean {
  const given = [...options.split(/\s+/), ...execArgv].flatMap((flag) => sizeFlag.exec(flag)?.[1] ?? []).at(-1);
  return given === undefined || given === givenByStartMiB;
}
