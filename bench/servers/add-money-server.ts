// The wallet's own server with an AddMoney that is somebody else's: the same doors, interceptors and log line.

import { ReportService } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService, type AddMoneyRequest, type AddMoneyResponse } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { createAroundUnary, createInterceptors } from "../../src/api/interceptors.ts";
import { createRequestValidator } from "../../src/api/validation.ts";
import { readConfig } from "../../src/config.ts";
import { createLogger } from "../../src/log.ts";
import { startServer } from "../../src/server/server.ts";

const services = [WalletService, ReportService];

/** Serves on this port, with the service's default settings. */
export async function serveAddMoney(port: number, addMoney: (request: AddMoneyRequest) => AddMoneyResponse | Promise<AddMoneyResponse>): Promise<void> {
  const start = readConfig([], {});
  if (start.kind !== "run") throw new Error("the defaults start nothing");
  const { limits, logLevel } = start.config;
  const logger = createLogger(logLevel);
  await startServer({
    host: "127.0.0.1",
    port,
    isPortShared: false,
    limits,
    services,
    routes: (router) => void router.service(WalletService, { addMoney }).service(ReportService, {}),
    interceptors: createInterceptors({ logger, validate: createRequestValidator(services) }),
    aroundUnary: createAroundUnary({ logger, validate: createRequestValidator(services) }),
    lastingMethods: [],
    isReady: () => true,
    isDurable: true,
    logger,
  });
}
