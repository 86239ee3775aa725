// A COMMIT that fails: nobody is told that it happened, and nobody is told for sure that it did not.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import Database from "better-sqlite3";
import { engines } from "../support/engines.ts";
import { add, init } from "../support/given.ts";
import { OpenedStore } from "../support/opened-store.ts";

/** A constraint that SQLite checks only at COMMIT (https://sqlite.org/foreignkeys.html#fk_deferred), broken by every addition with this reference. */
const failingCommits = `
  create table no_parents (id integer primary key);
  create table children (parent integer references no_parents (id) deferrable initially deferred);
  create trigger fail_at_commit after insert on journal when new.reference = 'fail at commit' begin insert into children values (1); end;
`;

describe.each(engines.filter(({ name }) => name === "sqlite"))("$name", (engine) => {
  let opened: OpenedStore;

  beforeEach(async () => {
    opened = await OpenedStore.on(engine);
    await opened.ask(init());
    const connection = new Database(opened.place.path);
    connection.exec(failingCommits);
    connection.close();
  });
  afterEach(() => opened.remove());

  test("the outcome is unknown to whoever asked, and the journal says that there was none", async () => {
    const before = await opened.place.dump();
    await expect(opened.ask(add("5", { key: "k", reference: "fail at commit" }))).rejects.toMatchObject({ name: "StoreFault", kind: "unknown" });
    expect(await opened.place.dump()).toEqual(before);
  });

  test("the same call after the ledger was opened anew settles it: the money is added once", async () => {
    const failing = add("5", { key: "k", reference: "fail at commit" });
    await expect(opened.ask(failing)).rejects.toMatchObject({ kind: "unknown" });
    const connection = new Database(opened.place.path);
    connection.exec("drop trigger fail_at_commit");
    connection.close();
    await opened.reopen();
    expect(await opened.ask(failing, failing)).toMatchObject([{ type: "applied", replayed: false, record: { after: { availableMinor: 500n } } }, { type: "applied", replayed: true }]);
  });
});
