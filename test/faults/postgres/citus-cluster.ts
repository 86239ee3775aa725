// A Citus cluster of a test's own: a coordinator and workers, each a PostgreSQL that may be killed, with a ledger that was placed as docs/operations.md says.

import { startService } from "../service-process.ts";
import { OwnPostgres } from "./own-postgres.ts";

const workerCount = 2;

/** As its administrator would have it, but for the recovery of transactions in doubt, which the default looks after once a minute: until then they keep their heads. */
const settings = {
  shared_preload_libraries: "citus",
  max_prepared_transactions: "200",
  "citus.recover_2pc_interval": "3s",
  max_connections: "300",
  "citus.node_conninfo": "sslmode=disable",
};

/** Each is placed by its partition, beside the head of it. */
const distributed = ["ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "moved_operations"];

export class CitusCluster {
  readonly coordinator: OwnPostgres;
  readonly workers: readonly OwnPostgres[];

  private constructor(coordinator: OwnPostgres, workers: readonly OwnPostgres[]) {
    this.coordinator = coordinator;
    this.workers = workers;
  }

  /** `programs`: the folder of a PostgreSQL that has Citus. */
  static async start(programs: string): Promise<CitusCluster> {
    const start = async (): Promise<OwnPostgres> => {
      const node = await OwnPostgres.start(settings, programs);
      await node.ask("create extension citus");
      // What the service states for its sessions stays on the coordinator.
      for (const setting of ["enable_seqscan", "enable_bitmapscan", "enable_sort", "jit"]) await node.ask(`alter role postgres set ${setting} = off`);
      return node;
    };
    const [coordinator, ...workers] = await Promise.all(Array.from({ length: 1 + workerCount }, start));
    await coordinator!.ask("select citus_set_coordinator_host('127.0.0.1', $1)", [coordinator!.port]);
    for (const worker of workers) await coordinator!.ask("select citus_add_node('127.0.0.1', $1)", [worker.port]);
    return new CitusCluster(coordinator!, workers);
  }

  get nodes(): readonly OwnPostgres[] {
    return [this.coordinator, ...this.workers];
  }

  /** The ledger's database, for servers and for whoever looks past them. */
  get url(): string {
    return this.coordinator.url;
  }

  /** A new ledger of so many partitions over the workers. */
  async makeLedger(partitions: number): Promise<void> {
    const maker = await startService({ databaseUrl: this.url, flags: [`--partitions=${partitions}`] });
    await maker.end("SIGTERM");
    const [head, ...others] = distributed;
    await this.coordinator.ask("select create_distributed_table($1, 'partition')", [head]);
    for (const table of others) await this.coordinator.ask("select create_distributed_table($1, 'partition', colocate_with => $2)", [table, head]);
    await this.coordinator.ask("select create_reference_table('ledger')");
  }

  /** Kills a node as when its machine is gone. */
  async kill(index: number): Promise<void> {
    await this.nodes[index]!.kill();
  }

  async startAgain(index: number): Promise<void> {
    await this.nodes[index]!.start(settings);
  }
}
