// A process that opens the ledger named by its argument, says so, and keeps it until its standard input ends.

import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

try {
  const store = await openSqliteStore(process.argv[2]!, Date.now);
  console.log("opened");
  process.stdin.on("end", () => void store.close());
  process.stdin.resume();
} catch (error) {
  console.log(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
