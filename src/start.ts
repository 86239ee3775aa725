// Starts the service with what takes longest first: the writer thread, where the engine has one, opens the ledger while the rest is still being loaded.

import type { App } from "./app.ts";
import type { Config } from "./config.ts";
import { endStartPhase } from "./end-start-phase.ts";
import type { Logger } from "./log.ts";
import { startWriter } from "./start-writer.ts";

/** Starts the service. Throws StartError where its surroundings do not permit it. */
export async function startApp(config: Config, logger: Logger): Promise<App> {
  const opening = startWriter(config);
  // It may fail before anybody waits for it, which is no rejection that nothing handles: the app waits for it next.
  opening.catch(() => undefined);
  const wiring = await import("./app.ts");
  const app = await wiring.startApp(config, logger, { opening });
  endStartPhase();
  return app;
}
