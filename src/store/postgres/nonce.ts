// What tells a try of a batch from another server's that did the very same at the same time.
//
// Such a try has the same records to the last hash, so that a COMMIT whose answer was lost could not be settled by them (settle.ts): two callers would be told of one operation. Therefore the last
// record of each partition carries a number that the try drew.

import { randomBytes } from "node:crypto";

/** 64 bits of chance. */
export function drawNonce(): bigint {
  return randomBytes(8).readBigInt64BE();
}
