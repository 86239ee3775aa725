// What each error of PostgreSQL's says of the transaction, before COMMIT was sent and after.

import { DatabaseError } from "pg";
import { describe, expect, test } from "vitest";
import { StartError } from "../../src/start-error.ts";
import { faultOf, inRecovery, isOfOneNode, isOutage, isWaitedInVain, leavesConnection, verdictOf, type Verdict } from "../../src/store/postgres/fault.ts";
import { startFailure } from "../../src/store/postgres/open-postgres.ts";
import { ConnectionLost } from "../../src/store/postgres/session.ts";
import { StoreFault } from "../../src/store/store.ts";

function answered(code: string): DatabaseError {
  return Object.assign(new DatabaseError("what the server says", 0, "error"), { code });
}

const lost = new ConnectionLost(new Error("read ECONNRESET"));

describe("a verdict", () => {
  test.each<[string, unknown, Verdict, Verdict]>([
    ["a serialization failure", answered("40001"), "undone", "undone"],
    ["a deadlock", answered("40P01"), "undone", "undone"],
    ["a lock that was not granted in time", answered("55P03"), "undone", "unknown"],
    ["a statement that was cancelled", answered("57014"), "undone", "unknown"],
    ["too many connections", answered("53300"), "undone", "unknown"],
    ["a full disk", answered("53100"), "undone", "unknown"],
    ["a standby", answered("25006"), "undone", "unknown"],
    ["a transaction that was silent for too long", answered("25P03"), "undone", "unknown"],
    ["a privilege that was taken away", answered("42501"), "undone", "unknown"],
    ["a terminated backend", answered("57P01"), "undone", "unknown"],
    ["a crashed server", answered("57P02"), "undone", "unknown"],
    ["a server that starts", answered("57P03"), "undone", "unknown"],
    ["a failed connection between servers", answered("08006"), "undone", "unknown"],
    ["an I/O error", answered("58030"), "undone", "unknown"],
    ["an internal error, as of a lost worker", answered("XX000"), "undone", "unknown"],
    ["a transaction whose outcome the server does not know", answered("40003"), "undone", "unknown"],
    ["no answer", lost, "undone", "unknown"],
    ["a broken constraint", answered("23514"), "defect", "defect"],
    ["a place that is taken", answered("23505"), "defect", "defect"],
    ["a query that makes no sense", answered("42601"), "defect", "unknown"],
    ["what a plan throws", new Error("a defect"), "defect", "defect"],
  ])("%s", (_, error, before, after) => {
    expect(verdictOf(error, { hasSentCommit: false })).toBe(before);
    expect(verdictOf(error, { hasSentCommit: true })).toBe(after);
  });
});

test("what passes is unavailable, with the server's words for the log; a defect stays what it is", () => {
  expect(faultOf(answered("53300"))).toMatchObject({ name: "StoreFault", kind: "unavailable", message: "53300: what the server says" });
  expect(faultOf(lost)).toMatchObject({ kind: "unavailable", message: "read ECONNRESET" });
  const defects = [answered("23505"), new TypeError("x"), new StoreFault("unknown", "said already")];
  for (const defect of defects) expect(faultOf(defect)).toBe(defect);
});

test("a connection is used again after a conflict or a defect, and after nothing else", () => {
  for (const code of ["40001", "40P01", "55P03", "23505", "22003"]) expect(leavesConnection(answered(code))).toBe(true);
  expect(leavesConnection(new Error("of a plan"))).toBe(true);
  for (const code of ["57P01", "25006", "53100", "08006", "XX000"]) expect(leavesConnection(answered(code))).toBe(false);
  expect(leavesConnection(lost)).toBe(false);
});

test("a server that answers nobody is everybody's trouble, what one batch comes upon is its own", () => {
  for (const code of ["57P01", "57P03", "53300", "53100", "08P01", "25006", "42501"]) expect(isOutage(answered(code)), code).toBe(true);
  expect(isOutage(lost)).toBe(true);
  for (const code of ["40001", "40P01", "55P03", "57014", "53200", "23505", "25P03", "08006"]) expect(isOutage(answered(code)), code).toBe(false);
  expect(isOutage(new Error("of a plan"))).toBe(false);
  expect([isOutage(new StoreFault("unavailable", "somebody keeps one", { partitions: [1] })), isOutage(new StoreFault("unavailable", "no connection"))]).toEqual([false, true]);
});

test("a node behind a server that answers is not the server", () => {
  for (const code of ["08000", "08001", "08003", "08006"]) expect([isOfOneNode(answered(code)), verdictOf(answered(code), { hasSentCommit: false })], code).toEqual([true, "undone"]);
  for (const each of [lost, answered("08P01"), answered("57P01"), new Error("of a plan")]) expect(isOfOneNode(each)).toBe(false);
});

test("what has waited in vain is a lock, or a statement, that was not done in time", () => {
  for (const code of ["55P03", "57014"]) expect([isWaitedInVain(answered(code)), verdictOf(answered(code), { hasSentCommit: false })], code).toEqual([true, "undone"]);
  for (const each of [lost, answered("40001"), answered("57P01"), new Error("of a plan")]) expect(isWaitedInVain(each)).toBe(false);
});

test.each<[string, unknown, RegExp]>([
  ["too few connections", new StoreFault("unavailable", "53300: too many connections for role"), /53300: too many.*\. A server takes up to 25 connections for each of its network threads/],
  ["a standby", inRecovery(), /it is a standby.*\. Give WALLET_DATABASE_URL the URL of the primary\.$/],
  ["a table that may not be read", answered("42501"), /\. Grant it to the role, or give/],
  ["a certificate that nobody knows", new ConnectionLost(Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" })), /self-signed certificate\. Name the file of the certificate .* with sslrootcert/],
  ["a server of another name", Object.assign(new Error("Hostname does not match"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" }), /and the server as its certificate does\.$/],
  ["no server", new ConnectionLost(new Error("connect ECONNREFUSED")), /Start the server, or correct the host/],
])("a start that fails for %s says what to do", (_, error, sentence) => {
  const failure = startFailure(error);
  expect(failure).toBeInstanceOf(StartError);
  expect((failure as StartError).message).toMatch(sentence);
});
