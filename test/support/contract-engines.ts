// The engines of the contract's suites: every one as it is, and PostgreSQL at SERIALIZABLE, which some engines have instead of READ COMMITTED, with a neighbour in the way, so that
// transactions fail with 40001 all the time and are tried again. How many did is printed behind each file.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { engines, openPostgresPlace, type Engine, type LedgerPlace } from "./engines.ts";
import { asOwner } from "./postgres-place.ts";
import { countErrors, TcpProxy } from "./tcp-proxy.ts";

/** How long the neighbour keeps the heads, and how long it stays away: once somebody has failed, long enough for the largest batch to come through. In milliseconds. */
const keptMs = 4;
const awayMs = 8;
const awayAfterFailureMs = 250;

const seen = { ledgers: 0, serializationFailures: 0 };

const serializable = (name: string, partitions: number): Engine => ({
  name,
  partitions,
  async open() {
    const proxies: TcpProxy[] = [];
    const place = await openPostgresPlace(async (url, clock) => {
      const proxy = await TcpProxy.before(url);
      proxy.whenSaid = (said) => (seen.serializationFailures += countErrors(said, "40001"));
      proxies.push(proxy);
      return openPostgresStore(proxy.through(url), clock, { partitions, settings: { default_transaction_isolation: "serializable" } });
    });
    seen.ledgers++;
    const neighbour = new Neighbour(place, partitions);
    return {
      ...place,
      async remove() {
        await neighbour.leave();
        for (const proxy of proxies) await proxy.close();
        await place.remove();
      },
    };
  },
});

/** Now and then writes every head as it was: whoever has begun by then and comes to one of them fails. */
class Neighbour {
  #hasLeft = false;
  readonly #left = Promise.withResolvers<void>();
  readonly #writing: Promise<void>;

  constructor({ path }: LedgerPlace, partitions: number) {
    this.#writing = asOwner(async (client) => {
      while (!this.#hasLeft) {
        await client.query("begin");
        // In the order in which a batch takes them.
        for (let partition = 0; partition < partitions; partition++) await client.query("update ledger_head set sequence = sequence where partition = $1", [partition]);
        await sleep(keptMs);
        await client.query("commit");
        const { serializationFailures } = seen;
        await sleep(awayMs);
        if (seen.serializationFailures > serializationFailures) await Promise.race([sleep(awayAfterFailureMs), this.#left.promise]);
      }
    }, path);
  }

  async leave(): Promise<void> {
    this.#hasLeft = true;
    this.#left.resolve();
    await this.#writing;
  }
}

afterAll(() => {
  // None where a filter has chosen other tests.
  if (seen.ledgers === 0) return;
  console.log(`at SERIALIZABLE: ${seen.serializationFailures} transactions on ${seen.ledgers} ledgers failed with 40001 and were tried again`);
  expect(seen.serializationFailures).toBeGreaterThan(0);
});

const atSerializable = [serializable("postgres, serializable", 1), serializable("postgres, serializable, 8 partitions", 8)];

/** TEST_SERIALIZABLE=0 leaves out those at SERIALIZABLE, as the mutation gate does: what they add is waiting. */
export const contractEngines: readonly Engine[] = process.env["TEST_SERIALIZABLE"] === "0" ? engines : [...engines, ...atSerializable];
