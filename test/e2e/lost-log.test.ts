// A log that cannot be written, as on a full disk or a terminal that was closed, ends nothing: calls are answered, and the stop is in order.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { freePort } from "../../scripts/free-port.ts";
import { grpcClient } from "../faults/grpc-client.ts";
import { readiness } from "../faults/service-process.ts";

const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-lost-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// Of Linux: each write to it fails as on a full disk.
test.runIf(process.platform === "linux")("every line is lost, and nothing else", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [`--listen=${address}`, `--database-url=sqlite:${join(folder, "wallet.db")}`];
  const service = spawn(process.execPath, [bin, ...flags], { stdio: ["ignore", "ignore", openSync("/dev/full", "w")] });
  const ended = once(service, "exit");
  while ((await readiness(address)) !== 200 && service.exitCode === null) await delay(20);
  const client = grpcClient(address);
  expect(await client.call(WalletService.method.initWallet, { userId: "ann", currency: "USD" })).toMatchObject({ type: "answered" });
  for (let call = 0; call < 20; call++) {
    expect(await client.call(WalletService.method.addMoney, { userId: "ann", amount: "1" })).toMatchObject({ type: "answered" });
    await delay(10);
  }
  client.close();
  service.kill("SIGHUP");
  expect(await ended).toEqual([0, null]);
});
