// A network thread: the same service on the same port, with ends of the ledger of its own.

import { parentPort, workerData } from "node:worker_threads";
import { doorThrough } from "./ledger/writer-door.ts";
import { createLogger, endLog } from "./log.ts";
import { createValidator, startNetwork, type Network } from "./network.ts";
import type { FromNetwork, NetworkSettings, ToNetwork } from "./network-messages.ts";

if (parentPort === null) throw new Error("network-thread.ts runs as a worker thread");
const port = parentPort;
const send = (message: FromNetwork): void => port.postMessage(message);

const { config, forReaders, door } = workerData as NetworkSettings;
const logger = createLogger(config.logLevel, { write: (lines) => send({ type: "log", lines }), flushSync: () => {}, end: async () => {} });
const toWriter = door && doorThrough(door);
let isReady = true;
let isClosing = false;

// Told, not thrown: a thread that ends while it reads HTTP/2 takes the process with it before anybody has their answer (Node 24).
void toWriter?.failed.then(({ message }) => isClosing || send({ type: "failed", message }));

function serve(network: Network): void {
  const carryOut = async (what: ToNetwork): Promise<void> => {
    isReady = false;
    if (what === "stopAccepting") await network.stopAccepting();
    if (what === "drain") await network.drain();
    if (what === "abandon") network.abandon();
    if (what === "close") {
      isClosing = true;
      await network.close();
      await endLog(logger);
      door?.close();
    }
    send({ type: "done", what });
  };
  port.on("message", (what: ToNetwork) => void carryOut(what));
}

try {
  serve(await startNetwork({ config, forReaders, door: toWriter, logger, validate: createValidator(), isPortShared: true, isReady: () => isReady }));
  send({ type: "ready" });
} catch (error) {
  send({ type: "notStarted", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
