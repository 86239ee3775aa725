// The caller's precondition on the wallet's version.

import type { CommandEnvelope } from "../command.ts";
import type { Rejection } from "../rejection.ts";

/** VERSION_MISMATCH where the caller expects another version than the wallet's at the operation's turn; undefined where all is well. */
export function checkedVersion(command: CommandEnvelope, actualVersion: bigint): Rejection | undefined {
  const { expectedVersion } = command;
  if (expectedVersion === undefined || expectedVersion === actualVersion) return undefined;
  return { reason: "VERSION_MISMATCH", expectedVersion, actualVersion };
}
