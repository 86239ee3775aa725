// How an engine spells what the migrations need.

import type { RawBuilder } from "kysely";

export interface EngineTypes {
  /** A signed 64-bit integer. */
  readonly integer: RawBuilder<unknown>;
  /** Text compared byte by byte. */
  readonly text: RawBuilder<unknown>;
  readonly bytes: RawBuilder<unknown>;
  /** These bytes, as a column's default. */
  readonly bytesLiteral: (value: Uint8Array) => RawBuilder<unknown>;
  /** What follows the closing parenthesis of CREATE TABLE. */
  readonly tableEnd: RawBuilder<unknown>;
}
