// What a spreading copy remembers, in a temporary database.

import type { CopyScratch, SpreadPlace, SpreadWallet } from "../copy/spread/copy-scratch.ts";
import { openTemporary, ScratchTable } from "./scratch-table.ts";

/** Wallets are found by their ids alone, which are unique in the whole ledger. */
const anyPartition = 0;

export function openSqliteCopyScratch(): CopyScratch {
  const connection = openTemporary();
  const wallets = new ScratchTable<SpreadWallet>(connection, "wallets");
  const places = new ScratchTable<SpreadPlace>(connection, "places");
  return {
    wallet: (walletId) => wallets.get(anyPartition, walletId),
    putWallet: (walletId, wallet) => wallets.put(anyPartition, walletId, wallet),
    place: ({ partition, sequence }) => places.get(partition, sequence),
    putPlace: ({ partition, sequence }, place) => places.put(partition, sequence, place),
    close: () => void connection.close(),
  };
}
