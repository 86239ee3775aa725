// Opens a wallet, adds money, sets some of it aside and gives it back, over gRPC. Run it in the checkout: node docs/examples/grpc-js.mjs [host:port]
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const protos = loadSync("wallet/v1/wallet_service.proto", { includeDirs: ["proto", "proto/vendor"], longs: String, enums: String });
const { WalletService } = grpc.loadPackageDefinition(protos).wallet.v1;
const client = new WalletService(process.argv[2] ?? "127.0.0.1:8080", grpc.credentials.createInsecure());
const call = (method, request) => promisify(client[method]).call(client, request);

const userId = `carol-${randomUUID()}`;
await call("initWallet", { userId, currency: "EUR", idempotencyKey: randomUUID() });
await call("addMoney", { userId, amount: "100.00", idempotencyKey: randomUUID() });
const { hold, wallet } = await call("holdMoney", { userId, amount: "30.00", idempotencyKey: randomUUID() });
console.log(`hold ${hold.status}: ${wallet.balance.available} available, ${wallet.balance.held} held`);

const reversal = await call("reverseHold", { userId, holdId: hold.holdId, idempotencyKey: randomUUID() });
console.log(`hold ${reversal.hold.status}: ${reversal.wallet.balance.available} available`);

// Every refusal carries a stable reason; grpc-js hands the sentence over as `details`.
await call("holdMoney", { userId, amount: "500.00", idempotencyKey: randomUUID() }).catch((error) => console.log(`${grpc.status[error.code]}: ${error.details}`));
client.close();
