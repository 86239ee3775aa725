// What clients saw of a partition, held against one order: no two the same place, nothing before what was over when it began, and arithmetic that fits.

import type { JsonObject } from "@bufbuild/protobuf";

/** An operation as answers carry it. */
export interface RecordedOperation extends JsonObject {
  readonly operationId: string;
  readonly sequence: string;
  readonly userId: string;
  readonly kind: string;
  readonly amount: string;
  readonly balanceAfter: JsonObject;
  readonly walletVersion: string;
}

/** An operation that a client was told of, with the client's own clock (all clients have the same). */
export interface Observed {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly operation: RecordedOperation;
}

/** Places that were told twice, and operations whose place is before one that had been acknowledged when they were sent. */
export function checkOrder(observed: readonly Observed[]): string[] {
  const problems: string[] = [];
  const inOrder = observed.toSorted((a, b) => Number(a.operation.sequence) - Number(b.operation.sequence));
  let latest: Observed | undefined;
  let previous: Observed | undefined;
  for (const each of inOrder) {
    const { sequence } = each.operation;
    if (previous?.operation.sequence === sequence) problems.push(`two clients were told sequence ${sequence}`);
    if (latest !== undefined && latest.sentMs > each.answeredMs) problems.push(`${sequence} was acknowledged before ${latest.operation.sequence} was sent`);
    if (latest === undefined || each.sentMs > latest.sentMs) latest = each;
    previous = each;
  }
  return problems;
}

/** The balances that these operations make, one after the other, and where an operation says anything else. Amounts have two decimals. */
export function replay(operations: readonly RecordedOperation[]): { balances: Map<string, JsonObject>; problems: string[] } {
  const problems: string[] = [];
  const wallets = new Map<string, { available: bigint; held: bigint; version: bigint }>();
  const balances = new Map<string, JsonObject>();
  for (const { sequence, userId, kind, amount, balanceAfter, walletVersion } of operations) {
    const { available, held, version } = wallets.get(userId) ?? { available: 0n, held: 0n, version: 0n };
    const moved = cents(amount);
    const toHeld = kind === "OPERATION_KIND_HOLD" ? moved : kind === "OPERATION_KIND_REVERSE" || kind === "OPERATION_KIND_RELEASE" ? -moved : 0n;
    const added = kind === "OPERATION_KIND_ADD" ? moved : 0n;
    const after = { available: available + added - toHeld, held: held + toHeld, version: version + 1n };
    const balance = { available: text(after.available), held: text(after.held), total: text(after.available + after.held) };
    if (after.available < 0n || after.held < 0n) problems.push(`${sequence} leaves less than nothing: ${JSON.stringify(balance)}`);
    if (JSON.stringify(balance) !== JSON.stringify(balanceAfter)) problems.push(`${sequence} says ${JSON.stringify(balanceAfter)} and makes ${JSON.stringify(balance)}`);
    if (walletVersion !== `${after.version}`) problems.push(`${sequence} says version ${walletVersion} and makes ${after.version}`);
    wallets.set(userId, after);
    balances.set(userId, balance);
  }
  return { balances, problems };
}

function cents(amount: string): bigint {
  return BigInt(amount.replace(".", ""));
}

function text(amount: bigint): string {
  return amount.toString().padStart(3, "0").replace(/(\d\d)$/, ".$1");
}
