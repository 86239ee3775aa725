// A primary and a standby that has everything which the primary acknowledges.

import { setTimeout as sleep } from "node:timers/promises";
import { OwnPostgres } from "../../support/own-postgres.ts";

export interface Pair {
  readonly primary: OwnPostgres;
  readonly standby: OwnPostgres;
}

/** Waits for the standby are bounded only by the test's own time. */
const lookMs = 20;

/** Stops the server, copies it and starts both: it waits for the copy's disk at each COMMIT. `through` is how the copy reaches it, itself unless said otherwise. */
export async function withStandby(primary: OwnPostgres, through: (connectionInfo: string) => string = (info) => info): Promise<Pair> {
  await primary.stop();
  const standby = await primary.copyAsStandby();
  await primary.start({ synchronous_commit: "on", synchronous_standby_names: "standby" });
  await standby.start({ primary_conninfo: through(primary.connectionInfo) });
  while ((await primary.ask("select from pg_stat_replication where sync_state = 'sync'")).length === 0) await sleep(lookMs);
  return { primary, standby };
}
