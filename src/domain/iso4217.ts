// The currencies of ISO 4217 and how many decimals ISO gives each.

/*
 * Source: ISO 4217 "List one: current currency and funds", as published by the maintenance agency (SIX) on 2026-01-01, which includes
 * amendment 180: BGN went out with Bulgaria's euro. `Intl` is no source: it disagrees with ISO for HUF, IDR, COP, LBP, AFN, IQD and others.
 *
 * Left out on purpose:
 * - the 13 codes whose minor unit is "N.A.", because an amount in them has no defined precision: XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX;
 * - withdrawn codes (list three), such as ANG (now XCG), BGN, CUC, HRK, SLL (now SLE) and ZWL (now ZWG).
 * Whoever still keeps such money names it as an asset in the configuration, with the decimals that they mean.
 */
const codesByExponent: ReadonlyArray<readonly [exponent: number, codes: string]> = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [
    // MGA and MRU divide into fifths (5 iraimbilanja, 5 khoums); ISO gives them two decimals all the same.
    2,
    `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
     CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
     GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT
     LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN
     NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
     SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
     UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  ],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
];

/** Every current ISO 4217 code that has a minor unit, with its exponent: the number of decimals, so 10^exponent minor units make one unit. */
export const iso4217: ReadonlyMap<string, number> = new Map(
  codesByExponent.flatMap(([exponent, codes]) => codes.split(/\s+/).map((code) => [code, exponent] as const)),
);
