// What the servers that do nothing answer: an AddMoneyResponse as the wallet's own looks, always the same.

import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { OperationKind } from "../../gen/wallet/v1/operation_pb.ts";
import { WalletState } from "../../gen/wallet/v1/wallet_pb.ts";
import { AddMoneyResponseSchema, type AddMoneyResponse } from "../../gen/wallet/v1/wallet_service_pb.ts";

const balance = { available: "1000000.01", held: "0.00", total: "1000000.01" };
const time = timestampFromMs(1_750_000_000_000);

export const constantAnswer: AddMoneyResponse = create(AddMoneyResponseSchema, {
  operation: {
    operationId: 200_001n,
    kind: OperationKind.ADD,
    userId: "user-0000001",
    currency: "USD",
    amount: "0.01",
    balanceAfter: balance,
    createTime: time,
    hash: new Uint8Array(32).fill(7),
    sequence: 200_001n,
    walletVersion: 3n,
  },
  wallet: { userId: "user-0000001", currency: "USD", balance, state: WalletState.ACTIVE, version: 3n, createTime: time, updateTime: time },
});
