// What must be true of the answer to bad input, however it came: the error is a documented one and says nothing of the inside.

import { Code } from "@connectrpc/connect";
import { errorTable, type Reason } from "../../src/api/errors.ts";
import type { CallResult } from "../support/clients/client.ts";

/** Stacks, paths, SQL, and the words of the libraries underneath. */
const inside = /node_modules|\bat \w[\w.]* \(|\.[jt]s:\d|file:\/\/|\/work\/|\/tmp\/|sqlite|postgres|violates \w+ constraint|\bSELECT\b|\bINSERT\b|\bUPDATE\b|cannot decode|TypeError|RangeError|SyntaxError|protobuf-es|better-/;

/** What is wrong with the answer to a request that is wrong; undefined where nothing is. */
export function flawOf(result: CallResult, wanted: { readonly reasons: readonly Reason[]; readonly fields: readonly string[] }): string | undefined {
  if (result.ok) return `answered ${JSON.stringify(result.response)}`;
  const { code, reason, violations, message } = result.error;
  const told = `${code} ${reason} ${JSON.stringify(violations)} ${message}`;
  if (!isReason(reason) || Code[errorTable[reason].code] !== code) return `not in the error table: ${told}`;
  if (!wanted.reasons.includes(reason)) return `not ${wanted.reasons.join(" or ")}: ${told}`;
  if (inside.test(JSON.stringify(result))) return `tells of the inside: ${told}`;
  const named = violations.map(({ field }) => field);
  const isNamed = wanted.fields.length === 0 || named.some((name) => wanted.fields.some((field) => name === field || name.startsWith(`${field}[`) || name.startsWith(`${field}.`)));
  if (!isNamed) return `names ${named.join(", ") || "nothing"} instead of ${wanted.fields.join(" or ")}: ${told}`;
  return message.length < 3 ? `says nothing: ${told}` : undefined;
}

function isReason(reason: string): reason is Reason {
  return reason in errorTable;
}
