// The settings that the model and the ledger under test share: short enough that both periods come and go within a sequence.

import { currencyRegistry } from "../../src/domain/currency.ts";
import type { LedgerRules } from "../../src/domain/rules.ts";
import type { NaiveRules } from "./naive-state.ts";

export const holdPeriodMs = 10 * 60_000;
export const idempotencyRetentionMs = 60 * 60_000;

export const assets: ReadonlyMap<string, number> = new Map([["USDT", 6]]);

export const rules: LedgerRules = { currencies: currencyRegistry(assets), holdPeriodMs, autoRelease: false, idempotencyRetentionMs };

/** Only what the sequences use; the ISO list has tests of its own. */
export const naiveRules: NaiveRules = { exponents: { USD: 2, JPY: 0, USDT: 6 }, holdPeriodMs, idempotencyRetentionMs };
