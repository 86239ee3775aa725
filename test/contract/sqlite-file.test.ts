// What the SQLite engine promises about its file: whose it is, that one process has it, that what is another's is left alone, and that commits are synced.

import { spawn, type ChildProcess } from "node:child_process";
import { hash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StartError } from "../../src/start-error.ts";
import { openForReading, openForWriting } from "../../src/store/sqlite/connection.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-file-"));
  path = join(folder, "wallet.db");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);
const create = async (at = path): Promise<void> => (await openSqliteStore(at, Date.now)).close();

/** What another process says when it opens the ledger, and that process. */
async function elsewhere(at = path): Promise<{ said: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../support/open-ledger.ts", import.meta.url)), at], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const said = await new Promise<string>((resolve) => child.stdout.once("data", (chunk) => resolve(String(chunk).trim())));
  return { said, child };
}

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once("exit", resolve));

describe("the file is its owner's alone", () => {
  test("and so is all that lies beside it while it is open", async () => {
    const store = await openSqliteStore(path, Date.now);
    expect(readdirSync(folder).toSorted()).toEqual(["wallet.db", "wallet.db-shm", "wallet.db-wal", "wallet.db.lock"]);
    for (const file of readdirSync(folder)) expect([file, modeOf(join(folder, file))]).toEqual([file, "600"]);
    await store.close();
  });

  test("and so is a folder that had to be made for it", async () => {
    await create(join(folder, "a", "b", "wallet.db"));
    expect([modeOf(join(folder, "a")), modeOf(join(folder, "a", "b"))]).toEqual(["700", "700"]);
  });

  test("even where the process's mask would let others in", async () => {
    const mask = process.umask(0);
    try {
      await create(join(folder, "open", "wallet.db"));
    } finally {
      process.umask(mask);
    }
    expect([modeOf(join(folder, "open")), modeOf(join(folder, "open", "wallet.db"))]).toEqual(["700", "600"]);
  });

  test("even where a ledger was left open to others", async () => {
    await create();
    chmodSync(path, 0o644);
    await create();
    expect(modeOf(path)).toBe("600");
  });
});

describe("one process has it", () => {
  const sentence = /^Another process has the ledger .*wallet\.db open\./;

  test("a second opening in the same process is refused, and the first goes on", async () => {
    const store = await openSqliteStore(path, Date.now);
    await expect(openSqliteStore(path, Date.now)).rejects.toThrow(StartError);
    await expect(openSqliteStore(path, Date.now)).rejects.toThrow(sentence);
    await store.close();
    await create();
  });

  test("another process is refused", async () => {
    const store = await openSqliteStore(path, Date.now);
    expect((await elsewhere()).said).toMatch(/^StartError: Another process has the ledger/);
    await store.close();
    expect((await elsewhere()).said).toBe("opened");
  });

  test("another process is still refused after this one has tried to open it twice", async () => {
    const store = await openSqliteStore(path, Date.now);
    await expect(openSqliteStore(path, Date.now)).rejects.toThrow(StartError);
    expect((await elsewhere()).said).toMatch(/^StartError/);
    await store.close();
  });

  test("under whatever name it is opened", async () => {
    const store = await openSqliteStore(path, Date.now);
    const link = join(folder, "link.db");
    symlinkSync(path, link);
    await expect(openSqliteStore(link, Date.now)).rejects.toThrow(sentence);
    expect((await elsewhere(link)).said).toMatch(/^StartError/);
    await store.close();
  });

  test("a process that dies leaves it free", async () => {
    const { said, child } = await elsewhere();
    expect(said).toBe("opened");
    await expect(openSqliteStore(path, Date.now)).rejects.toThrow(StartError);
    child.kill("SIGKILL");
    await ended(child);
    await create();
  });

  test("a start that fails leaves it free", async () => {
    await expect(openSqliteStore(path, () => Number.NaN)).rejects.toThrow();
    await create();
  });
});

/** The hash of the file's bytes, its mode, and what lies beside it, but for the empty log that SQLite makes to look into a ledger. */
const everything = (): unknown => [hash("sha256", readFileSync(path)), modeOf(path), readdirSync(folder).filter((file) => !/-(wal|shm)$/.test(file)).toSorted()];

async function expectLeftAlone(sentence: RegExp): Promise<void> {
  chmodSync(path, 0o644);
  const before = everything();
  const opening = openSqliteStore(path, Date.now);
  await expect(opening).rejects.toThrow(sentence);
  await expect(opening).rejects.toThrow(StartError);
  expect(everything()).toEqual(before);
  await expect(openSqliteStore(path, Date.now)).rejects.toThrow(sentence);
}

describe("what is not a ledger of this version is refused, and left as it was", () => {
  test("another program's database", async () => {
    new Database(path).exec("create table notes (text text); insert into notes values ('mine')").close();
    await expectLeftAlone(/wallet\.db is a database of another program, not a ledger/);
  });

  test("another program's database that bears its mark", async () => {
    const db = new Database(path);
    db.pragma("application_id = 42");
    db.exec("create table notes (text text)").close();
    await expectLeftAlone(/is a database of another program, not a ledger/);
  });

  test("a file that is no database", async () => {
    writeFileSync(path, "Dear diary, ".repeat(1000));
    await expectLeftAlone(/The ledger .*wallet\.db cannot be opened: file is not a database\./);
  });

  test("a newer version's ledger", async () => {
    await create();
    new Database(path).exec("insert into kysely_migration (name, timestamp) values ('9999-future', '2099')").close();
    await expectLeftAlone(/was written by a newer version of the wallet \(it has 9999-future\)/);
  });

  test("a newer version's ledger that crashed, with commits in its log", async () => {
    await create();
    const db = new Database(path);
    db.exec("insert into kysely_migration (name, timestamp) values ('9999-future', '2099')");
    const crashed = join(folder, "crashed");
    mkdirSync(crashed);
    for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, join(crashed, `wallet.db${suffix}`));
    db.close();
    const [file, log] = [join(crashed, "wallet.db"), join(crashed, "wallet.db-wal")].map((name) => [name, hash("sha256", readFileSync(name))] as const);
    await expect(openSqliteStore(file![0], Date.now)).rejects.toThrow(/was written by a newer version/);
    for (const [name, before] of [file!, log!]) expect(hash("sha256", readFileSync(name))).toBe(before);
  });

  test.each<[string, () => string, RegExp]>([
    ["a folder", () => folder, /is not a file\. Give WALLET_DATABASE_URL/],
    ["a path through a file", () => join(folder, "file", "wallet.db"), /cannot be opened: ENOTDIR/],
    ["a link to nothing", () => join(folder, "dangling"), /it is a link to nothing/],
    ["a folder in one that takes none", () => (process.platform === "linux" ? "/proc/none/wallet.db" : join(folder, "file", "none", "wallet.db")), /cannot be opened: (ENOENT|ENOTDIR)/],
  ])("%s", async (_, given, sentence) => {
    writeFileSync(join(folder, "file"), "");
    symlinkSync(join(folder, "nothing"), join(folder, "dangling"));
    await expect(openSqliteStore(given(), Date.now)).rejects.toThrow(sentence);
    await expect(openSqliteStore(given(), Date.now)).rejects.toThrow(StartError);
  });

  test("a ledger with two names, since two processes could serve it and undo each other's work", async () => {
    await create();
    linkSync(path, join(folder, "other.db"));
    await expect(openSqliteStore(join(folder, "other.db"), Date.now)).rejects.toThrow(/has 2 names \(hard links\)/);
    await expect(openSqliteStore(path, Date.now)).rejects.toThrow(StartError);
  });

  test("a start that died while it made the file leaves nothing in the way", async () => {
    for (const name of ["", "-journal", "-wal"]) writeFileSync(`${path}.making${name}`, "half of something");
    await create();
    expect(readdirSync(folder).filter((name) => name.includes("making"))).toEqual([]);
    await create();
  });

  test("an empty file is nobody's, and becomes one", async () => {
    writeFileSync(path, "");
    await create();
    expect(existsSync(path)).toBe(true);
  });
});

const readBack = (connection: Database.Database, name: string): unknown => connection.pragma(name, { simple: true });

describe("every commit is synced before it is acknowledged", () => {
  test("the writing connection says so itself", async () => {
    await create();
    const connection = openForWriting(path);
    expect(["journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync"].map((name) => readBack(connection, name))).toEqual(["wal", 2, 1, 1]);
    connection.close();
  });

  test("a reading connection cannot write", async () => {
    await create();
    const connection = openForReading(path);
    expect(() => connection.exec("delete from journal")).toThrow(/readonly/);
    connection.close();
  });

  test("tables refuse what SQLite would turn into another type", async () => {
    await create();
    const connection = new Database(path);
    expect(() => connection.exec("update ledger_head set sequence = 'one'")).toThrow(/cannot store TEXT value in INTEGER column/);
    expect(() => connection.exec("update ledger_head set sequence = 1.5")).toThrow(/cannot store REAL value in INTEGER column/);
    connection.close();
  });

  test("and so do columns that a later migration added", async () => {
    await create();
    const connection = new Database(path);
    connection.exec("insert into wallets (partition, wallet_id, user_id, currency, exponent, create_time_ms, available_minor, held_minor, state, version, head_sequence, update_time_ms, totals) values (0, 1, 'alice', 'USD', 2, 0, 0, 0, 1, 1, 1, 0, x'')");
    expect(connection.prepare("select last_hold_id from wallets").pluck().get()).toBe(0);
    expect(() => connection.exec("update wallets set last_hold_id = 'one'")).toThrow(/cannot store TEXT value in INTEGER column/);
    expect(() => connection.exec("update wallets set last_hold_id = null")).toThrow(/NOT NULL constraint failed/);
    connection.close();
  });
});
