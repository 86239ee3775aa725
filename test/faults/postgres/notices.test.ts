// The notices that a journal has grown come again by themselves: from a connection that is silent without being at its end, and from a standby that has become the primary.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { openGrowthNotices, type GrowthNotices } from "../../../src/store/postgres/growth-notices.ts";
import { asOwner, makeDatabase } from "../../support/postgres-place.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { cleanUpServers, OwnPostgres } from "../../support/own-postgres.ts";
import { withStandby } from "./pair.ts";

/** Some seconds pass until a silent connection is given up for another. */
const againMs = 120_000;

afterAll(cleanUpServers);

/** Waits until another's notice is heard, which is given again and again. */
async function expectHeard(notices: GrowthNotices, give: () => Promise<unknown>): Promise<void> {
  const heard = { is: false };
  notices.whenTold(() => (heard.is = true));
  for (const startMs = performance.now(); !heard.is; await sleep(50)) {
    expect(performance.now() - startMs, "not heard").toBeLessThan(againMs);
    await give();
  }
}

test("a connection on which nothing passes any more is given up for another", async () => {
  const database = await makeDatabase("empty");
  const give = () => asOwner((client) => client.query("notify wallet_grown"), database.url);
  const proxy = await TcpProxy.before(database.url);
  const notices = openGrowthNotices(proxy.through(database.url));
  await expectHeard(notices, give);
  proxy.freeze();
  await expectHeard(notices, () => {
    notices.tell();
    return give();
  });
  await notices.close();
  await proxy.close();
  await database.remove();
});

test("a standby lets nobody listen until it is promoted", async () => {
  const { standby, primary } = await withStandby(await OwnPostgres.start());
  const notices = openGrowthNotices(standby.url);
  const refusals = (): number => standby.log().match(/cannot execute LISTEN during recovery/g)?.length ?? 0;
  while (refusals() === 0) await sleep(20);
  await primary.kill();
  await standby.promote();
  await expectHeard(notices, () => standby.ask("notify wallet_grown"));
  await notices.close();
});
