// A store on a ledger without a database, which counts its transactions by the partitions that they touch.

import type { Store } from "../../src/store/store.ts";
import type { PureLedger } from "./pure-ledger.ts";

/** `touched` has the partitions of each transaction so far. */
export function pureStore(ledger: PureLedger, clock: () => number): Store & { readonly touched: number[][] } {
  const touched: number[][] = [];
  return {
    partitionCount: ledger.partitions.length,
    touched,
    async transact(parts, plan) {
      touched.push(parts.map(({ partition }) => partition));
      const { changes, result } = plan(ledger.loaded(parts, clock()));
      ledger.fold(changes);
      return result;
    },
    close: async () => {},
  };
}
