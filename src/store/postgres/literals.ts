// Numbers that are written into a query, where the planner is to see them.

import { sql } from "kysely";

/** OFFSET 0 keeps the planner from turning a LATERAL look-up into a join over the whole partition (queries.ts). */
export const noOffset = sql<bigint>`0`;

/** LIMIT 1. */
export const one = sql<bigint>`1`;
