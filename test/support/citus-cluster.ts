// A Citus cluster of a run's own: a coordinator and workers, each a PostgreSQL that may be killed, with ledgers that are placed as docs/operations.md says.

import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { connected } from "./connected.ts";
import { OwnPostgres } from "./own-postgres.ts";

/** The folder of a PostgreSQL that has Citus (`pg_config --bindir`), where there is one on this machine. */
export const citusPrograms = process.env["TEST_CITUS_PROGRAMS"];

const workerCount = 2;

/** As its administrator would have it, but for the recovery of transactions in doubt, which the default looks after once a minute: until then they keep their heads. */
const settings = {
  shared_preload_libraries: "citus",
  max_prepared_transactions: "200",
  max_connections: "300",
  "citus.recover_2pc_interval": "3s",
  "citus.node_conninfo": "sslmode=disable",
};

/** What the service states for its sessions stays on the coordinator, so it is the role's on each node. */
const roleSettings = ["enable_seqscan", "enable_bitmapscan", "enable_sort", "jit"];

/** Each is placed by its partition, beside the head of it. */
const distributed = ["ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "moved_operations"] as const;

export class CitusCluster {
  readonly coordinator: OwnPostgres;
  readonly workers: readonly OwnPostgres[];

  private constructor(coordinator: OwnPostgres, workers: readonly OwnPostgres[]) {
    this.coordinator = coordinator;
    this.workers = workers;
  }

  /** With PostgreSQL's programs in this folder. */
  static async start(programs: string): Promise<CitusCluster> {
    const start = async (): Promise<OwnPostgres> => {
      const node = await OwnPostgres.start(settings, programs);
      for (const setting of roleSettings) await node.ask(`alter role postgres set ${setting} = off`);
      return node;
    };
    const [coordinator, ...workers] = await Promise.all(Array.from({ length: 1 + workerCount }, start));
    const cluster = new CitusCluster(coordinator!, workers);
    await joinNodes(coordinator!.url, workers.map(({ port }) => port));
    return cluster;
  }

  /** The coordinator first. */
  get nodes(): readonly OwnPostgres[] {
    return [this.coordinator, ...this.workers];
  }

  /** Kills a node as when its machine is gone. */
  async kill(index: number): Promise<void> {
    await this.nodes[index]!.kill();
  }

  async startAgain(index: number): Promise<void> {
    await this.nodes[index]!.start(settings);
  }

  /** Moves the shards of this partition, and of those that share them, to another worker, as a rebalancing does: what is written to them waits for the end of it. */
  async movePartitions(partition: number): Promise<void> {
    const place = "select shardid, nodeport as port from pg_dist_shard_placement where shardid = get_shard_id_for_distribution_column('ledger_head', $1::bigint)";
    const [found] = await this.coordinator.ask<{ shardid: string; port: string }>(place, [partition]);
    const target = this.workers.find(({ port }) => port !== Number(found!.port))!;
    await this.coordinator.ask(`select citus_move_shard_placement(${found!.shardid}, '127.0.0.1', ${found!.port}, '127.0.0.1', ${target.port}, 'block_writes')`);
  }

  async remove(): Promise<void> {
    for (const node of this.nodes) await node.remove();
  }
}

/** Makes a cluster of the database of this URL and those of the same name on the workers, which are there. */
async function joinNodes(url: string, workerPorts: readonly number[]): Promise<void> {
  const here = new URL(url);
  for (const port of [Number(here.port), ...workerPorts]) await connected(onPort(url, port), async (client) => void (await client.query("create extension citus")));
  await connected(url, async (client) => {
    await client.query("select citus_set_coordinator_host('127.0.0.1', $1)", [Number(here.port)]);
    for (const port of workerPorts) await client.query("select citus_add_node('127.0.0.1', $1)", [port]);
  });
}

/** Spreads a ledger's tables over the workers, in few shards: each is a table of each worker's, which takes time to make. */
export async function placeTables(url: string): Promise<void> {
  await connected(url, async (client) => {
    const [head, ...others] = distributed;
    await client.query("select create_distributed_table($1, 'partition', shard_count => 4)", [head]);
    for (const table of others) await client.query("select create_distributed_table($1, 'partition', colocate_with => $2)", [table, head]);
    await client.query("select create_reference_table('ledger')");
  });
}

/** A new database on every node of the cluster with this coordinator, with the tables of a ledger that has yet to be created. */
export async function makeCitusDatabase(coordinator: string, name: string): Promise<{ readonly url: string; remove(): Promise<void> }> {
  const url = Object.assign(new URL(coordinator), { pathname: `/${name}` }).href;
  const workerPorts = await connected(coordinator, async (client) => (await client.query<{ port: number }>("select nodeport as port from pg_dist_node where groupid > 0")).rows.map(({ port }) => port));
  const nodes = [Number(new URL(coordinator).port), ...workerPorts].map((port) => onPort(coordinator, port));
  for (const node of nodes) await connected(node, async (client) => void (await client.query(`create database ${name}`)));
  await joinNodes(url, workerPorts);
  const { store } = await openPostgresStore(url, () => 0, { partitions: 1 });
  await store.close();
  await connected(url, async (client) => void (await client.query("delete from ledger; delete from ledger_head")));
  await placeTables(url);
  return {
    url,
    async remove() {
      for (const node of nodes) await connected(node, async (client) => void (await client.query(`drop database if exists ${name} with (force)`)));
    },
  };
}

function onPort(url: string, port: number): string {
  return Object.assign(new URL(url), { port: `${port}` }).href;
}
