// How much memory V8 gives young objects. It takes that once, when a process begins; which engine a ledger is in says only the configuration.

/** What `npm start` gives, in MiB: what fits a ledger in SQLite, whose writer thread has as much again. */
const givenByStart = "8";

/** On PostgreSQL one thread does all of the work, and what a batch is made of lives for a round trip or two: collected while it is alive, it is copied, and twice copied it is old. In MiB. */
const onPostgres = "32";

const size = /^--max[-_]semi[-_]space[-_]size=(.*)$/;

/**
 * Begins this process anew, with the same id, arguments and environment, and room for what the service keeps in flight on PostgreSQL. Does nothing where it has that, where somebody has chosen a size of their own, and where a process cannot
 * begin anew: on Windows, without the permission, or with a parent that talks to it through a channel. To be called before anything is opened.
 */
export function takeRoomForPostgres(): void {
  const { execArgv, env } = process;
  if (!isLeftToUs(execArgv, env) || process.execve === undefined || process.connected) return;
  const flags = execArgv.filter((flag) => !size.test(flag));
  try {
    process.execve(process.execPath, [process.execPath, ...flags, `--max-semi-space-size=${onPostgres}`, ...process.argv.slice(1)], env);
  } catch {
    // It serves all the same, and slower.
  }
}

/** Whether nobody has chosen a size but `npm start`. */
function isLeftToUs(execArgv: readonly string[], { NODE_OPTIONS: options = "" }: NodeJS.ProcessEnv): boolean {
  const given = [...options.split(/\s+/), ...execArgv].flatMap((flag) => size.exec(flag)?.[1] ?? []).at(-1);
  return given === undefined || given === givenByStart;
}
