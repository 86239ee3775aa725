// Where a call's time goes: the service under Node's profiler, once under each of the loads that the rows have.

import { filledLedger } from "./filled-ledger.ts";
import { fillPostgresLedger } from "./filled-postgres.ts";
import type { Findings, ProfiledLoad, ProfileInWords } from "./measured.ts";
import { occupationsText, occupiedText } from "./occupied.ts";
import type { Plan } from "./plan.ts";
import { startPostgres } from "./postgres-server.ts";
import { newFolder, startProfiledPostgresWallet, startProfiledWallet, type Server } from "./processes.ts";
import { profileTables, type LoadProfile } from "./profile-tables.ts";
import { readProfiles } from "./profile.ts";
import { loadsNote, loadsToProfile, profiledLoads, type LoadToProfile } from "./profiled-loads.ts";

/** Starts a service whose threads write their profiles into this folder. */
type Start = (profileFolder: string) => Promise<Server>;

export async function measureProfile(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("profile: starting PostgreSQL");
  const postgres = await startPostgres();
  const url = await postgres.newDatabase();
  await fillPostgresLedger(url, plan.wallets, 1);
  const starts: Readonly<Record<LoadToProfile["engine"], Start>> = {
    SQLite: async (profileFolder) => startProfiledWallet(await filledLedger(plan.wallets), profileFolder),
    PostgreSQL: (profileFolder) => startProfiledPostgresWallet(url, profileFolder),
  };
  const profiles: LoadProfile[] = [];
  for (const load of profiledLoads.map((each) => loadsToProfile[each])) {
    say(`profile: ${load.name}`);
    profiles.push(await profiled(load, starts[load.engine], plan));
  }
  await postgres.stop();
  return { verdicts: [], tables: profileTables(profiles, [...notes, loadsNote]), profiles: inWords(profiles) };
}

const notes = [
  "Shares of each thread's time by the clock, as Node's profiler sampled it every millisecond. Occupied is what is not idle: also a thread that waits for the disk, or for a processor. Threads that are idle nearly all the time are left out, and so are PostgreSQL's own processes, into which Node's profiler does not see.",
  "A function of Node's own counts for whoever called it. The profiler itself slows the service down a little; no other figure on this page was taken under it.",
];

async function profiled({ name, run }: LoadToProfile, start: Start, plan: Plan): Promise<LoadProfile> {
  const folder = newFolder();
  const server = await start(folder);
  const window = await run(plan, server);
  await server.stop();
  return { name, threads: readProfiles(folder, window) };
}

/** Of profiles in the loads' order. */
function inWords(profiles: readonly LoadProfile[]): Readonly<Record<ProfiledLoad, ProfileInWords>> {
  const told = profiles.map(({ name, threads }, index) => [profiledLoads[index]!, { name, occupied: occupiedText(threads), occupations: occupationsText(threads) }] as const);
  return Object.fromEntries(told) as Record<ProfiledLoad, ProfileInWords>;
}
