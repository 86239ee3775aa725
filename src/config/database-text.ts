// A database's address as logs and sentences may tell it.

import { resolve } from "node:path";
import type { Database } from "../database.ts";

/** Of a file its whole path; of a server's database everything but user and password, and no parameters, since some are secrets too. */
export function databaseText(database: Database): string {
  if (database.kind === "sqlite") return `sqlite:${resolve(database.path)}`;
  const { host, pathname } = new URL(database.url);
  return `postgres://${host}${pathname}`;
}
