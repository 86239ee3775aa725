// The wallet's own server with handlers that do nothing, or (second argument: a file) nothing but one bare commit of one row.

import { ReportService } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { createAroundUnary, createInterceptors } from "../../src/api/interceptors.ts";
import { createRequestValidator } from "../../src/api/validation.ts";
import { readConfig } from "../../src/config.ts";
import { createLogger } from "../../src/log.ts";
import { startServer } from "../../src/server/server.ts";
import { openBareCommit } from "./bare-commit.ts";
import { constantAnswer } from "./constant-answer.ts";

const [port, commitPath] = process.argv.slice(2);
const start = readConfig([], {});
if (start.kind !== "run") throw new Error("the defaults start nothing");
const { limits, logLevel } = start.config;
const commit = commitPath === undefined ? () => {} : openBareCommit(commitPath);
const logger = createLogger(logLevel);

await startServer({
  host: "127.0.0.1",
  port: Number(port),
  isPortShared: false,
  limits,
  services: [WalletService, ReportService],
  routes: (router) =>
    void router.service(WalletService, {
      addMoney(request) {
        commit(request.userId);
        return constantAnswer;
      },
    }).service(ReportService, {}),
  interceptors: createInterceptors({ logger, validate: createRequestValidator([WalletService, ReportService]) }),
  aroundUnary: createAroundUnary({ logger, validate: createRequestValidator([WalletService, ReportService]) }),
  lastingMethods: [],
  isReady: () => true,
  logger,
});
