// Which currencies the ledger knows, and how many decimals each has: ISO 4217 and the assets of the configuration.

import { iso4217 } from "./iso4217.ts";

/** Answers how many decimals a currency has. Build one a thread: it holds functions, so it cannot be sent to a worker; its assets can. */
export interface CurrencyRegistry {
  /** The number of decimals of this upper-case code, 0 to 18, or undefined for a currency that the ledger does not know. */
  exponentOf(code: string): number | undefined;
}

/** Two to sixteen characters: room for `USDC` and `LOYALTYPOINTS`, short enough for every row and log line. */
const assetName = /^[A-Z][A-Z0-9]{1,15}$/;

/** Decimals that a currency may have. Balances are 64-bit integers of minor units; with 18 decimals they still reach 9.2 whole units, with 19 not even one. */
export const exponentMax = 18;

/**
 * The currencies of ISO 4217 together with these assets (name → decimals), read when it is called: later changes of the map do not reach it.
 * Throws an Error whose sentence names the asset that breaks the rules of `parseAssets`.
 */
export function currencyRegistry(assets: ReadonlyMap<string, number>): CurrencyRegistry {
  for (const [name, exponent] of assets) assertAsset(name, exponent);
  const exponents = new Map([...iso4217, ...assets]);
  return { exponentOf: (code) => exponents.get(code) };
}

/**
 * Reads a list of assets such as `POINTS:0,USDT:6`: names, each with its number of decimals (0 to 18). Spaces around an entry are ignored and a
 * blank text means none. Throws an Error whose sentence names the offending entry: it has another form, its name is an ISO 4217 code (whose
 * decimals are ISO's to say), or it comes twice.
 */
export function parseAssets(text: string): Map<string, number> {
  const assets = new Map<string, number>();
  if (text.trim() === "") return assets;
  for (const entry of text.split(",").map((part) => part.trim())) {
    const [, name, digits] = /^([^:]*):(\d{1,2})$/.exec(entry) ?? [];
    if (name === undefined || digits === undefined) throw new Error(`${JSON.stringify(entry)} is not NAME:DECIMALS, such as POINTS:0 or USDT:6`);
    if (assets.has(name)) throw new Error(`${JSON.stringify(entry)} names ${name} a second time`);
    const exponent = Number(digits);
    assertAsset(name, exponent);
    assets.set(name, exponent);
  }
  return assets;
}

function assertAsset(name: string, exponent: number): void {
  const entry = JSON.stringify(`${name}:${exponent}`);
  if (!assetName.test(name)) throw new Error(`${entry} needs a name of 2 to 16 upper-case letters and digits that starts with a letter`);
  if (!Number.isInteger(exponent) || exponent < 0 || exponent > exponentMax) {
    throw new Error(`${entry} needs a number of decimals from 0 to ${exponentMax}`);
  }
  const isoExponent = iso4217.get(name);
  if (isoExponent !== undefined) throw new Error(`${entry} redefines ${name}, which is in ISO 4217 with ${isoExponent} decimals and needs no entry`);
}
