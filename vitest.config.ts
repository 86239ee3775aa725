// How the tests run: each file in a process of its own, since they start servers, threads and SQLite files.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "test/support/postgres-server.ts",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Two cores: one for the test, one for the server that it talks to.
    maxWorkers: 2,
    // Nothing is asserted about time; this only ends a test that hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
