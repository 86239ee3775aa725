// The README's commands, run as they stand there on an empty ledger, print what it says; and so do the examples that go on from it.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startService, type Service } from "../support/service.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const tryIt = readme.slice(readme.indexOf("## Try it"), readme.indexOf("## What it serves"));

/** Its blocks in order: commands, and what they print. */
const blocks = [...tryIt.matchAll(/^```(sh)?\n(.*?)^```$/gms)].map(([, language, text]) => ({ isCommands: language === "sh", text: text! }));
const rpc = /^rpc\(\) .*$/m.exec(tryIt)![0];

/** The README's reader has both; a machine that only runs tests may not. */
const hasShell = ["bash", "curl"].every((program) => spawnSync(program, ["--version"]).status === 0);

let service: Service;
let folder: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  service = await startService();
  folder = mkdtempSync(join(tmpdir(), "wallet-readme-"));
});
afterAll(async () => {
  for (const child of running) endGroup(child);
  await service.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** What the command prints until it ends, or until it has printed `enough`. */
async function printed(command: string, args: readonly string[], enough?: string): Promise<string> {
  const child = spawn(command, args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let isEnough = false;
  running.add(child);
  const end = once(child, "close").then(() => running.delete(child));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (enough === undefined || isEnough || !output.includes(enough)) return;
      isEnough = true;
      endGroup(child);
    });
  }
  await end;
  return output;
}

/** `npx` and what it started. */
function endGroup({ pid }: ChildProcess): void {
  process.kill(-pid!, "SIGTERM");
}

function here(text: string): string {
  return text.replaceAll("127.0.0.1:8080", service.address).replaceAll("grpc-js.mjs", `grpc-js.mjs ${service.address}`);
}

describe.skipIf(process.platform === "win32" || !hasShell)("the README", () => {
  test("prints what it says", async () => {
    expect(blocks.filter(({ isCommands }) => isCommands).length).toBeGreaterThan(5);
    let output = "";
    for (const { isCommands, text } of blocks) {
      if (isCommands) {
        const isWatch = text.includes("WatchOperations");
        output = await printed("bash", ["-c", here(`${rpc}\n${text}`)], isWatch ? '"operationId": "6"' : undefined);
        if (isWatch) expect(output).toContain('"kind": "OPERATION_KIND_TRANSFER"');
      } else {
        // What stands before an ellipsis is the beginning of a line.
        for (const line of text.trimEnd().split("\n")) expect(output).toContain(line.replace(/…$/, ""));
      }
    }
  });

  test("has a watch that goes on where it was", async () => {
    const watch = ["docs/examples/watch.mjs", service.address, join(folder, "token")];
    const first = await printed(process.execPath, watch, "\n4 OPERATION_KIND_INIT shop 0.00 USD\n");
    expect(first).toContain("1 OPERATION_KIND_INIT alice 0.00 USD\n2 OPERATION_KIND_ADD alice 100.00 USD\n");
    const headers = { "content-type": "application/json" };
    const opened = await fetch(`${service.url}/wallet/init`, { method: "POST", headers, body: JSON.stringify({ user_id: "last", currency: "USD" }) });
    expect(opened.status).toBe(201);
    const second = await printed(process.execPath, watch, "OPERATION_KIND_INIT last");
    expect(second).not.toContain("OPERATION_KIND_INIT alice");
  });
});
