// Resume tokens: a place in the journal that a watcher brings back, bound to what it watches and to this very journal.
//
// base64url of: one byte of version; eight bytes of a hash of the user filter; then, for each partition that is watched (a user's, or all), the sequence as a varint and the first
// eight bytes of the hash of the record there. A journal that was restored from a backup and went on differently has another record at that place.

import { createHash } from "node:crypto";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { sequenceMax, type JournalPlace } from "../domain/journal.ts";
import type { UserId } from "../domain/wallet.ts";

const version = 1;

/** Bytes of a user filter's hash and of a record's. They keep mistakes out, not forgers: every place of the journal is open to whoever may watch. */
const filterBytes = 8;
const sealBytes = 8;

/** What a token says about a partition: the place, and by its seal the record directly before it. */
export interface TokenPlace {
  readonly sequence: bigint;
  readonly seal: Uint8Array;
}

/** Writes and reads the tokens of one kind of watch. */
export interface ResumeTokens {
  /** The token of these places, one for each partition that is watched, in the order of their numbers. */
  write(places: readonly JournalPlace[]): string;
  /** What `write` was given; a sentence on what is wrong where the text is no token of such a watch. */
  read(token: string): readonly TokenPlace[] | string;
}

/** The tokens of a watch with this user filter, or of one without a filter. */
export function resumeTokens(userId: UserId | undefined): ResumeTokens {
  const filter = createHash("sha256").update(userId === undefined ? "all" : `user ${userId}`).digest().subarray(0, filterBytes);
  const write = (places: readonly TokenPlace[]): string => {
    const writer = new BinaryWriter().raw(Uint8Array.of(version)).raw(filter);
    for (const { sequence, seal } of places) writer.uint64(sequence).raw(seal);
    return Buffer.from(writer.finish()).toString("base64url");
  };
  return {
    write: (places) => write(places.map(({ sequence, hash }) => ({ sequence, seal: sealOf(hash) }))),
    read(token) {
      const bytes = Buffer.from(token, "base64url");
      if (bytes[0] !== version || bytes.length <= 1 + filterBytes) return noToken;
      if (!bytes.subarray(1, 1 + filterBytes).equals(filter)) return otherFilter;
      const places = placesOf(bytes.subarray(1 + filterBytes));
      // Written again it must be the same text: what Buffer skips over, and numbers in a longer form, were never written here.
      return places === undefined || write(places) !== token ? noToken : places;
    },
  };
}

/** Whether the token's record is this one. */
export function isSealOf(hash: Uint8Array, { seal }: TokenPlace): boolean {
  return Buffer.from(sealOf(hash)).equals(seal);
}

const noToken = "is no token that WatchOperations gave; send one as it came, or none";
const otherFilter = "was given to a watch with another user_id; send the same user_id as then, or begin anew without a token";

function sealOf(hash: Uint8Array): Uint8Array {
  return hash.subarray(0, sealBytes);
}

function placesOf(bytes: Uint8Array): TokenPlace[] | undefined {
  const reader = new BinaryReader(bytes);
  const places: TokenPlace[] = [];
  try {
    while (reader.pos < reader.len) {
      const sequence = BigInt(reader.uint64());
      const seal = bytes.subarray(reader.pos, reader.pos + sealBytes);
      if (sequence > sequenceMax || seal.length < sealBytes) return undefined;
      places.push({ sequence, seal });
      reader.pos += sealBytes;
    }
    return places;
  } catch {
    // A number without an end.
    return undefined;
  }
}
