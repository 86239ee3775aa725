// What can be configured, how it is written, and which sentence stops a start that was configured wrong.

import { availableParallelism, platform } from "node:os";
import { describe, expect, test } from "vitest";
import { parseDurationMs } from "../../src/config/duration.ts";
import { settingsMarkdown } from "../../src/config/help.ts";
import { isLoopback } from "../../src/config/listen-address.ts";
import { ConfigError, readConfig, settingsTable, type Config } from "../../src/config.ts";
import { version } from "../../src/version.ts";
import { networkThreadsFor } from "../../src/config/network-threads-for.ts";

type Environment = Record<string, string>;

function configured(args: string[] = [], env: Environment = {}): Config {
  const start = readConfig(args, env);
  if (start.kind !== "run") throw new Error(`expected a configuration, got ${start.kind}`);
  return start.config;
}

function refusal(args: string[], env: Environment = {}): string {
  try {
    readConfig(args, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const { message } = error as ConfigError;
    expect(message).toMatch(/^[^\n]*\.$/); // one line, a whole sentence
    return message;
  }
  throw new Error(`${JSON.stringify({ args, env })} was accepted`);
}

test("nothing configured is a whole configuration", () => {
  expect(configured()).toEqual({
    listen: { host: "127.0.0.1", port: 8080 },
    database: { kind: "sqlite", path: "./data/wallet.db" },
    partitions: 1,
    holdPeriodMs: 600_000,
    autoRelease: false,
    assets: new Map(),
    idempotencyRetentionMs: 2_592_000_000,
    insecure: false,
    networkThreads: networkThreadsFor(availableParallelism(), platform()),
    queueLengthMax: 16_384,
    batchLengthMax: 1024,
    watchersMax: 10_000,
    limits: {
      requestMaxBytes: 4_194_304,
      responseMaxBytes: 4_194_304,
      timeoutMaxMs: 60_000,
      connectionsMax: 4096,
      streamsPerConnectionMax: 256,
      headerMaxBytes: 16_384,
      firstByteTimeoutMs: 10_000,
      headersTimeoutMs: 15_000,
      requestTimeoutMs: 60_000,
      idleTimeoutMs: 300_000,
      drainTimeoutMs: 8000,
    },
    logLevel: "info",
  });
});

test("a configuration can be sent to a worker thread", () => {
  const config = configured(["--currencies=USDT:6"]);
  expect(structuredClone(config)).toEqual(config);
});

describe("a setting that is accepted", () => {
  const sizes = (config: Config) => config.limits.requestMaxBytes;
  test.each<[name: string, text: string, pick: (config: Config) => unknown, value: unknown]>([
    ["WALLET_LISTEN", "127.0.0.1:0", (config) => config.listen, { host: "127.0.0.1", port: 0 }],
    ["WALLET_LISTEN", "localhost:65535", (config) => config.listen, { host: "localhost", port: 65_535 }],
    ["WALLET_LISTEN", "[::1]:8080", (config) => config.listen, { host: "::1", port: 8080 }],
    ["WALLET_LISTEN", "127.9.9.9:1", (config) => config.listen, { host: "127.9.9.9", port: 1 }],
    ["WALLET_DATABASE_URL", "sqlite:wallet.db", (config) => config.database, { kind: "sqlite", path: "wallet.db" }],
    ["WALLET_DATABASE_URL", "sqlite:../a b/wallet.db", (config) => config.database, { kind: "sqlite", path: "../a b/wallet.db" }],
    ["WALLET_DATABASE_URL", "sqlite:/var/lib/wallet.db", (config) => config.database, { kind: "sqlite", path: "/var/lib/wallet.db" }],
    ["WALLET_DATABASE_URL", "sqlite:///var/lib/wallet.db", (config) => config.database, { kind: "sqlite", path: "/var/lib/wallet.db" }],
    ["WALLET_DATABASE_URL", "postgres://wallet:secret@127.0.0.1:5432/wallet", (config) => config.database, { kind: "postgres", url: "postgres://wallet:secret@127.0.0.1:5432/wallet" }],
    ["WALLET_DATABASE_URL", "postgresql://127.0.0.1/wallet", (config) => config.partitions, 16],
    ["WALLET_PARTITIONS", "1", (config) => config.partitions, 1],
    ["WALLET_PARTITIONS", "32768", (config) => config.partitions, 32_768],
    ["WALLET_HOLD_PERIOD", "1ms", (config) => config.holdPeriodMs, 1],
    ["WALLET_HOLD_PERIOD", "500ms", (config) => config.holdPeriodMs, 500],
    ["WALLET_HOLD_PERIOD", "30s", (config) => config.holdPeriodMs, 30_000],
    ["WALLET_HOLD_PERIOD", "24h", (config) => config.holdPeriodMs, 86_400_000],
    ["WALLET_HOLD_PERIOD", "1h30m", (config) => config.holdPeriodMs, 5_400_000],
    ["WALLET_HOLD_PERIOD", "1d2h3m4s5ms", (config) => config.holdPeriodMs, 93_784_005],
    ["WALLET_HOLD_PERIOD", "3650d", (config) => config.holdPeriodMs, 315_360_000_000],
    ["WALLET_AUTO_RELEASE", "false", (config) => config.autoRelease, false],
    ["WALLET_AUTO_RELEASE", "0", (config) => config.autoRelease, false],
    ["WALLET_AUTO_RELEASE", "true", (config) => config.autoRelease, true],
    ["WALLET_CURRENCIES", "POINTS:0,USDT:6", (config) => [...config.assets], [["POINTS", 0], ["USDT", 6]]],
    ["WALLET_IDEMPOTENCY_RETENTION", "61s", (config) => config.idempotencyRetentionMs, 61_000],
    ["WALLET_INSECURE", "1", (config) => config.insecure, true],
    ["WALLET_INSECURE", "false", (config) => config.insecure, false],
    ["WALLET_NETWORK_THREADS", "3", (config) => config.networkThreads, 3],
    ["WALLET_QUEUE_MAX", "1", (config) => config.queueLengthMax, 1],
    ["WALLET_BATCH_MAX", "65536", (config) => config.batchLengthMax, 65_536],
    ["WALLET_REQUEST_MAX_BYTES", "65536", sizes, 65_536],
    ["WALLET_REQUEST_MAX_BYTES", "2MB", sizes, 2_000_000],
    ["WALLET_REQUEST_MAX_BYTES", "2MiB", sizes, 2_097_152],
    ["WALLET_REQUEST_MAX_BYTES", "512KiB", sizes, 524_288],
    ["WALLET_REQUEST_MAX_BYTES", "512kB", sizes, 512_000],
    ["WALLET_REQUEST_MAX_BYTES", "64MiB", sizes, 67_108_864],
    ["WALLET_TIMEOUT_MAX", "100ms", (config) => config.limits.timeoutMaxMs, 100],
    ["WALLET_CONNECTIONS_MAX", "10", (config) => config.limits.connectionsMax, 10],
    ["WALLET_STREAMS_MAX", "10", (config) => config.limits.streamsPerConnectionMax, 10],
    ["WALLET_WATCHERS_MAX", "7", (config) => config.watchersMax, 7],
    ["WALLET_DRAIN_TIMEOUT", "9s", (config) => config.limits.drainTimeoutMs, 9000],
    ["WALLET_LOG_LEVEL", "silent", (config) => config.logLevel, "silent"],
  ])("%s=%s, as a variable and as a flag", (name, text, pick, value) => {
    const flag = name.replace("WALLET_", "--").replaceAll("_", "-").toLowerCase();
    expect(pick(configured([], { [name]: text }))).toEqual(value);
    expect(pick(configured([`${flag}=${text}`]))).toEqual(value);
    expect(pick(configured([flag, text]))).toEqual(value);
  });
});

describe("a setting that is refused", () => {
  test.each<[name: string, texts: string[], accepted: string]>([
    ["WALLET_LISTEN", ["8080", ":8080", "*:8080", "localhost", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "127.1:80", "256.0.0.1:80", "::1:8080", "[::1]", "[127.0.0.1]:80", "[nonsense]:80", "http://127.0.0.1:80", "a b:80", "-a:80", " 127.0.0.1:80"], "host:port"],
    ["WALLET_DATABASE_URL", ["./data/wallet.db", "sqlite:", "sqlite://", "sqlite://data/wallet.db", "sqlite:./data/", "sqlite:a.db?mode=ro", "sqlite:a.db#1", "mysql://h/db", "file:a.db"], "sqlite:./data/wallet.db"],
    ["WALLET_DATABASE_URL", ["sqlite::memory:"], "in memory"],
    ["WALLET_DATABASE_URL", ["postgres://u:p@h/wallet?sslmod=require", "postgres://u:p@h/wallet?sslmode=require&query_timeout=0"], "is not known here; there are host, port, options, sslmode,"],
    ["WALLET_DATABASE_URL", ["postgres://u:p#w@h/wallet", "postgres://u:p@ss#@h/wallet", "postgres://u:p@h/wallet#here"], "within a user or a password write @ : / ? # as %40 %3A %2F %3F %23"],
    ["WALLET_DATABASE_URL", ["postgres://h", "postgresql://h:5432/", "postgres://u:p@h"], "it names no database"],
    ["WALLET_PARTITIONS", ["0", "-1", "32769", "1.0", "one", " 1"], "a whole number from 1 to 32768"],
    ["WALLET_HOLD_PERIOD", ["600", "0ms", "0", "10 m", "10M", "1.5h", "-1m", "30m1h", "1h1h", "m", "3650d1ms", "3651d", "99999999999999999999d", "10m!", "5min"], "from 1ms to 3650d"],
    ["WALLET_AUTO_RELEASE", ["yes", "TRUE", "on", "2"], "true or false"],
    ["WALLET_CURRENCIES", ["USD:2"], "redefines USD"],
    ["WALLET_CURRENCIES", ["POINTS"], "POINTS:0"],
    ["WALLET_IDEMPOTENCY_RETENTION", ["30", "59s", "3651d"], "from 1m to 3650d"],
    ["WALLET_IDEMPOTENCY_RETENTION", ["1m"], "longer than WALLET_TIMEOUT_MAX"],
    ["WALLET_API_KEYS_FILE", ["keys.json"], "API keys are not there yet"],
    ["WALLET_JWT_ISSUER", ["https://issuer.example"], "JSON Web Tokens are not there yet"],
    ["WALLET_JWT_AUDIENCE", ["wallet"], "JSON Web Tokens are not there yet"],
    ["WALLET_JWT_JWKS_URL", ["https://issuer.example/jwks"], "JSON Web Tokens are not there yet"],
    ["WALLET_TLS_CERT", ["cert.pem"], "TLS is not there yet"],
    ["WALLET_TLS_KEY", ["key.pem"], "TLS is not there yet"],
    ["WALLET_TLS_CLIENT_CA", ["ca.pem"], "TLS is not there yet"],
    ["WALLET_INSECURE", ["yes", "True", "constructor"], "true or false"],
    ["WALLET_NETWORK_THREADS", ["0", "65", "many", "1.5"], "auto or a whole number from 1 to 64"],
    ["WALLET_QUEUE_MAX", ["0", "1048577", "1e3", "0x10", "lots"], "a whole number from 1 to 1048576"],
    ["WALLET_BATCH_MAX", ["0", "65537"], "a whole number from 1 to 65536"],
    ["WALLET_REQUEST_MAX_BYTES", ["0", "1023", "65MiB", "4 MiB", "4GiB", "1.5MiB", "-1", "4constructor", "MiB"], "from 1KiB to 64MiB"],
    ["WALLET_TIMEOUT_MAX", ["60", "99ms", "601s"], "from 100ms to 10m"],
    ["WALLET_CONNECTIONS_MAX", ["0", "65537"], "a whole number from 1 to 65536"],
    ["WALLET_STREAMS_MAX", ["0", "65537"], "a whole number from 1 to 65536"],
    ["WALLET_WATCHERS_MAX", ["0", "1000001"], "a whole number from 1 to 1000000"],
    ["WALLET_DRAIN_TIMEOUT", ["0s", "99ms", "9001ms", "10s"], "from 100ms to 9s"],
    ["WALLET_LOG_LEVEL", ["verbose", "INFO", "30"], "one of fatal, error, warn, info, debug, trace, silent"],
  ])("%s=%j: the sentence names it and what is accepted", (name, texts, accepted) => {
    for (const text of texts) {
      const sentence = refusal([], { [name]: text });
      expect(sentence).toContain(name);
      expect(sentence).toContain(accepted);
      const flag = name.replace("WALLET_", "--").replaceAll("_", "-").toLowerCase();
      expect(refusal([`${flag}=${text}`])).toContain(accepted);
    }
  });

  test("says which value it was given", () => {
    expect(refusal([], { WALLET_HOLD_PERIOD: "10 minutes" })).toMatch(/^WALLET_HOLD_PERIOD is "10 minutes"; it takes a duration/);
    expect(refusal(["--hold-period=10 minutes"])).toMatch(/^--hold-period \(WALLET_HOLD_PERIOD\) is "10 minutes"; it takes a duration/);
  });

  test.each(["postgres://user:hunter2@host/", "postgres://user:hunter2/a@b@host/db#", `postgres://user:hunter2${"x".repeat(300)}@host/`])(
    "but never the password in %s",
    (url) => expect(refusal([], { WALLET_DATABASE_URL: url })).not.toContain("hunter2"),
  );

  test("and never endlessly or over several lines", () => {
    expect(refusal([], { WALLET_LOG_LEVEL: "x\n".repeat(100_000) }).length).toBeLessThan(500);
  });
});

test("no text is no duration, not one of zero", () => expect(parseDurationMs("")).toBeUndefined());

describe("flags and variables", () => {
  test("a flag wins over its variable", () => {
    expect(configured(["--hold-period=1m"], { WALLET_HOLD_PERIOD: "2m" }).holdPeriodMs).toBe(60_000);
    expect(configured(["--hold-period=1m"], { WALLET_HOLD_PERIOD: "nonsense" }).holdPeriodMs).toBe(60_000);
    expect(configured(["--insecure=false"], { WALLET_INSECURE: "true" }).insecure).toBe(false);
  });

  test("a variable set to nothing is not set", () => {
    expect(configured([], { WALLET_LISTEN: "", WALLET_TLS_CERT: "", WALLET_CURRENCIES: "" })).toEqual(configured());
  });

  test.each<[args: string[], insecure: boolean]>([
    [["--insecure"], true],
    [["--insecure", "--log-level=warn"], true],
    [["--insecure", "true"], true],
    [["--insecure", "false"], false],
    [["--insecure=0"], false],
  ])("%j leaves insecure %s", (args, insecure) => expect(configured(args).insecure).toBe(insecure));

  test.each<[args: string[], env: Environment, sentence: string]>([
    [["--lisen=x"], {}, "There is no flag --lisen; did you mean --listen?"],
    [["--database", "x"], {}, "did you mean --database-url?"],
    [["--Listen=x"], {}, "did you mean --listen?"],
    [["--frobnicate"], {}, "There is no flag --frobnicate; --help lists them all."],
    [["--WALLET_LISTEN=x"], {}, "There is no flag --WALLET_LISTEN"],
    [["-l"], {}, `"-l" is not a flag`],
    [["serve"], {}, `"serve" is not a flag`],
    [["--insecure", "maybe"], {}, `"maybe" is not a flag`],
    [["--listen"], {}, "--listen needs a value"],
    [["--listen="], {}, "--listen needs a value"],
    [["--listen", "--insecure"], {}, "--listen needs a value"],
    [["--hold-period=1m", "--hold-period=2m"], {}, "--hold-period is given twice"],
    [["--"], {}, "There is no flag --;"],
    [[], { WALLET_LISTN: "x" }, "There is no setting WALLET_LISTN; did you mean WALLET_LISTEN?"],
    [[], { WALLET_DATABASE: "x" }, "did you mean WALLET_DATABASE_URL?"],
    [[], { WALLET_LOGLEVEL: "x" }, "did you mean WALLET_LOG_LEVEL?"],
    [[], { WALLET_FROBNICATE: "" }, "There is no setting WALLET_FROBNICATE"],
    [[], { WALLET_PORT: "9090" }, "There is no setting WALLET_PORT"],
    [[], { WALLET_JWT_SECRET: "hunter2" }, "WALLET_JWT_SECRET is set; JSON Web Tokens are not there yet"],
  ])("%j with %j is refused by name", (args, env, sentence) => {
    const message = refusal(args, env);
    expect(message).toContain(sentence);
    expect(message).not.toContain("hunter2");
  });

  test("what Kubernetes adds for a service called wallet is nobody's mistake", () => {
    const links = {
      WALLET_SERVICE_HOST: "10.0.0.1",
      WALLET_SERVICE_PORT: "8080",
      WALLET_SERVICE_PORT_GRPC: "8080",
      WALLET_PORT: "tcp://10.0.0.1:8080",
      WALLET_PORT_8080_TCP: "tcp://10.0.0.1:8080",
      WALLET_PORT_8080_TCP_PROTO: "tcp",
      WALLET_PORT_8080_TCP_PORT: "8080",
      WALLET_PORT_8080_TCP_ADDR: "10.0.0.1",
      WALLET_DB_SERVICE_HOST: "10.0.0.2",
    };
    expect(configured([], { ...links, PATH: "/bin" })).toEqual(configured());
  });
});

describe("reaching beyond this machine", () => {
  test.each(["0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080", "126.255.255.255:80", "128.0.0.1:80", "wallet.example:8080", "localhost.example:80", "[::2]:80", "[::ffff:10.0.0.1]:80"])(
    "%s needs WALLET_INSECURE",
    (address) => {
      const sentence = refusal([`--listen=${address}`]);
      expect(sentence).toContain("WALLET_LISTEN");
      expect(sentence).toContain("WALLET_INSECURE=true");
      expect(configured([`--listen=${address}`, "--insecure"]).listen.host).toBe(address.replace(/:\d+$/, "").replace(/[[\]]/g, ""));
    },
  );

  test.each(["localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"])("%s is this machine", (host) => {
    expect(isLoopback(host)).toBe(true);
  });
});

describe("asking", () => {
  test.each([["--help"], ["-h"], ["--frobnicate", "--help"]])("%s lists every setting with its default", (...args) => {
    const start = readConfig(args, { WALLET_FROBNICATE: "1" });
    if (start.kind !== "help") throw new Error(start.kind);
    for (const row of settingsTable()) {
      expect(start.text).toContain(`${row.flag}, ${row.name}${row.default === "" ? "\n" : ` (${row.default})\n`}`);
    }
  });

  test("--version says the version of package.json", () => {
    expect(readConfig(["--version"], {})).toEqual({ kind: "version", text: `${version}\n` });
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("the table of docs/settings.md has a row for each setting", () => {
    const lines = settingsMarkdown(settingsTable()).trimEnd().split("\n");
    expect(lines).toHaveLength(2 + settingsTable().length);
    for (const line of lines) expect(line.split("|")).toHaveLength(5);
    expect(lines[2]).toContain("| `WALLET_LISTEN` | `127.0.0.1:8080` |");
  });

  test("every default is itself a value that is accepted", () => {
    for (const row of settingsTable()) {
      if (row.default !== "") expect(() => readConfig([`${row.flag}=${row.default}`], {})).not.toThrow();
    }
  });
});

test.each([
  [1, "linux", 1],
  [2, "linux", 1],
  [3, "linux", 1],
  [4, "linux", 2],
  [6, "linux", 4],
  [64, "linux", 4],
  [64, "darwin", 1],
  [64, "win32", 1],
] as const)("on %i processors and %s, %i network threads suit", (processors, system, threads) => {
  expect(networkThreadsFor(processors, system)).toBe(threads);
});
