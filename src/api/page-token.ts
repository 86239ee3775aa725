// Pages of lists, after AIP-158: how large one is, and the token that the next one begins at.

import { createHash } from "node:crypto";
import { toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { serviceError } from "./errors.ts";

/** Where the caller names no size. */
const pageSizeDefault = 50;

/** AIP-158: sizes above the maximum are coerced. */
const pageSizeMax = 1_000;

/** Rows that a page looks at, at most, where no index serves the filter: some 20 ms of work. */
export const lookedAtMax = 1_000;

/** Bytes of references and metadata, in JSON, after which a page ends. The rest of 1,000 operations takes up to 1 MiB, with user ids as long as they may be: together they fit into the 4 MiB that clients accept. */
export const notesMaxBytes = 2 * 1024 * 1024;

/** Bytes of the hash that binds a token to its list and filter. It keeps mistakes out, not forgers: a position shows nothing that the filter does not permit. */
const bindingBytes = 8;
const positionBytes = 8;

/** The page that a request asks for. */
export interface Page {
  readonly max: number;
  /** Where it begins: the numbers that `tokenAt` was given. Undefined for the first page. */
  readonly position: readonly bigint[] | undefined;
  /** The token of the page that begins there; empty without a position, where this page is the last. */
  tokenAt(position: readonly bigint[] | undefined): string;
}

/**
 * Reads page size and token of a list's request. A position has `numbers` 64-bit numbers. Throws INVALID_PAGE_TOKEN where the token is none, or was given
 * for another list or filter.
 */
export function pageOf<Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc> & { pageSize: number; pageToken: string }, numbers: number): Page {
  const filter = toBinary(schema, { ...request, pageSize: 0, pageToken: "" }, { writeUnknownFields: false });
  const binding = createHash("sha256").update(`${schema.typeName}\n`).update(filter).digest().subarray(0, bindingBytes);
  return {
    max: request.pageSize === 0 ? pageSizeDefault : Math.min(request.pageSize, pageSizeMax),
    position: request.pageToken === "" ? undefined : positionIn(request.pageToken, binding, numbers),
    tokenAt(position) {
      if (position === undefined) return "";
      const bytes = Buffer.alloc(bindingBytes + position.length * positionBytes);
      binding.copy(bytes);
      for (const [index, number] of position.entries()) bytes.writeBigInt64BE(number, bindingBytes + index * positionBytes);
      return bytes.toString("base64url");
    },
  };
}

function positionIn(token: string, binding: Buffer, numbers: number): bigint[] {
  const bytes = Buffer.from(token, "base64url");
  // Node skips what is no base64url.
  const isWhole = bytes.toString("base64url") === token && bytes.length === bindingBytes + numbers * positionBytes;
  if (!isWhole || !bytes.subarray(0, bindingBytes).equals(binding)) throw invalidPageToken();
  return Array.from({ length: numbers }, (_, index) => bytes.readBigInt64BE(bindingBytes + index * positionBytes));
}

/** The token is none of this list and filter, or points at nothing in it. */
export function invalidPageToken(): ConnectError {
  const description = "is no token of this list with this filter; send the `next_page_token` of the page before with the same filter, or none for the first page";
  return serviceError("INVALID_PAGE_TOKEN", `page_token: ${description}.`, { metadata: { field: "page_token" }, violations: [{ field: "page_token", description }] });
}
