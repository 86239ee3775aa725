// Watches every operation over gRPC, and goes on after a lost connection where it was: nothing missing, nothing twice.
// Run it in the checkout: node docs/examples/watch.mjs [host:port [token file]]
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const protos = loadSync("wallet/v1/report_service.proto", { includeDirs: ["proto", "proto/vendor"], longs: String, enums: String });
const { ReportService } = grpc.loadPackageDefinition(protos).wallet.v1;
const client = new ReportService(process.argv[2] ?? "127.0.0.1:8080", grpc.credentials.createInsecure(), {
  // An idle watch is a silent connection: the ping notices a peer that is gone.
  "grpc.keepalive_time_ms": 30_000,
  // grpc-js would wait up to two minutes before it tries again.
  "grpc.max_reconnect_backoff_ms": 2_000,
});

// A real program keeps the token in the same transaction as what it made of the operation; here it is a file.
const tokenFile = process.argv[3] ?? "watch-token.tmp";
let token = readToken();

for (;;) {
  const watch = client.watchOperations(token === undefined ? { fromStart: true } : { resumeToken: token });
  try {
    for await (const { operation, resumeToken } of watch) {
      // An answer without an operation only says how far the watch has come.
      if (operation) console.log(`${operation.operationId} ${operation.kind} ${operation.userId} ${operation.amount} ${operation.currency}`);
      keepToken(resumeToken);
    }
  } catch (error) {
    // A token of another ledger, or of one that was restored from a backup, stays wrong however often it is sent.
    if (error.code === grpc.status.INVALID_ARGUMENT) {
      console.error(`${error.details}\nDelete ${tokenFile} to begin with the first operation.`);
      process.exit(1);
    }
    console.log(`${grpc.status[error.code]}: watching again in a second`);
  }
  await setTimeout(1_000);
}

function readToken() {
  try {
    return readFileSync(tokenFile, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  }
}

function keepToken(resumeToken) {
  token = resumeToken;
  // The old token or the new one, never half of one.
  writeFileSync(`${tokenFile}.new`, token);
  renameSync(`${tokenFile}.new`, tokenFile);
}
