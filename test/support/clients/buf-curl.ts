// `buf curl`, which knows nothing of our protos: it asks the server's reflection, so every call tries that too.

import { fromJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { answered, isKnown, methodNamed, pathOf, refused, type CallResult, type Client } from "./client.ts";

export function bufCurlClient({ url }: { url: string }, protocol: "grpc" | "grpcweb" | "connect"): Client {
  return {
    name: `buf curl --protocol ${protocol}`,
    isDear: true,
    // It calls what reflection names, and keeps the deadline's header to itself.
    serves: (method, { isLate = false }) => isKnown(method) && !isLate,
    async call(service, name, request, { headers = {}, first } = {}): Promise<CallResult> {
      const method = methodNamed(service, name);
      const header = Object.entries(headers).flatMap(([key, value]) => ["--header", `${key}: ${value}`]);
      const { stdout, stderr, failed } = await run(["curl", "--protocol", protocol, "--http2-prior-knowledge", ...header, "--data", JSON.stringify(request), `${url}${pathOf(method)}`], first);
      if (failed) return refused(errorFromJsonBytes(Buffer.from(stderr), undefined, new ConnectError(`no error of the service: ${stderr}`, Code.Unknown)));
      return answered(method, textsOf(stdout).slice(0, first).map((text) => fromJsonString(method.output, text)));
    },
    close() {},
  };
}

/** Runs it to its end, or until it has printed the first so many messages. */
function run(args: string[], first = Infinity): Promise<{ stdout: string; stderr: string; failed: boolean }> {
  return new Promise((resolve) => {
    let printed = "";
    // Its collector would take a tenth of the time of a process that lives for a moment.
    const child = execFile(buf, args, { env: { ...process.env, GOGC: "off" } }, (error, stdout, stderr) => resolve({ stdout, stderr, failed: error !== null && !isEnough() }));
    const isEnough = (): boolean => (printed.match(/^\}$/gm)?.length ?? 0) >= first;
    if (first === Infinity) return;
    child.stdout?.on("data", (text: string) => {
      printed += text;
      if (isEnough()) child.kill();
    });
  });
}

/** The messages that it printed one after the other, each in as many lines as it likes: only a message's first line has a brace at its start. */
function textsOf(stdout: string): string[] {
  return stdout.split(/\n(?=\{)/).filter((text) => text.trim() !== "");
}

/** The program itself where npm put it; its JavaScript wrapper costs as much again. */
const buf = nativeBuf() ?? join(import.meta.dirname, "../../../node_modules/.bin/buf");

function nativeBuf(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`@bufbuild/buf-${process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}/package.json`);
    const path = join(dirname(manifest), "bin", process.platform === "win32" ? "buf.exe" : "buf");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
