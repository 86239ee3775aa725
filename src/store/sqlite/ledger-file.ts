// The ledger's file before SQLite serves it: where it truly is, how a new one comes to be, and who may read it.

import { chmodSync, closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { StartError } from "../../start-error.ts";
import { makeFile } from "./make-file.ts";

/** What SQLite may keep beside a database. */
const companions = ["-journal", "-wal", "-shm"];

/**
 * The file's one path, whatever links lead to its folder or to it; its folder is made where there is none. Throws StartError for what is no file, and for a
 * file with a second name: the lock and the write-ahead log go by the name, so two processes could serve it and undo each other's work.
 */
export function truePathOf(path: string): string {
  const folder = dirname(path);
  makeFolder(folder);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && !existsSync(path)) {
    throw new StartError(`The ledger ${path} cannot be opened: it is a link to nothing. Give WALLET_DATABASE_URL the path of a ledger, or of a file that can be made.`);
  }
  if (!existsSync(path)) return join(realpathSync(folder), basename(path));
  const truePath = realpathSync(path);
  const { nlink } = statSync(truePath);
  if (!statSync(truePath).isFile()) throw new StartError(`${path} is not a file. Give WALLET_DATABASE_URL the path of a ledger, or of a file that can be made.`);
  if (nlink > 1) throw new StartError(`${path} has ${nlink} names (hard links). A ledger must have one; remove the others, or copy it.`);
  return truePath;
}

/** One after the other: in a folder that takes none, such as one of /proc, Node's own way of making all of them tries for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process was there first.
    if (!existsSync(folder)) throw error;
  }
}

/** Whether the file is there and not empty. */
export function isMade(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0;
}

/**
 * Makes an empty database in WAL mode. It is made under another name and moved into place whole: a process that dies while SQLite
 * changes a new file's journal mode leaves a rollback journal behind that no reader can open and that must never be replayed.
 */
export function makeLedgerFile(path: string): void {
  const making = `${path}.making`;
  for (const name of ["", ...companions]) rmSync(making + name, { force: true });
  makeFile(making);
  const connection = new Database(making);
  connection.pragma("journal_mode = WAL");
  connection.close();
  sync(making);
  renameSync(making, path);
  sync(dirname(path));
  sync(dirname(dirname(path)));
}

/** A ledger that was left open to others is closed to them, with what SQLite keeps beside it. */
export function closeToOthers(path: string): void {
  for (const name of ["", ...companions]) if (existsSync(path + name)) chmodSync(path + name, 0o600);
}

/** Makes what is in a file, or which names are in a folder, survive a power loss. */
function sync(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
