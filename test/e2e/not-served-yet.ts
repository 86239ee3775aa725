// The RPCs that the protos declare and this version does not serve. Whoever serves one moves it from here into a scenario.

/** Declared in the protos and answered with UNKNOWN_METHOD by this version: each with a request that breaks no rule. */
export const notServedYet = {
  CaptureHold: { user_id: "nobody", hold_id: "1", amount: "1" },
  ExtendHold: { user_id: "nobody", hold_id: "1", hold_period: "3600s" },
  WithdrawMoney: { user_id: "nobody", amount: "1" },
  TransferMoney: { user_id: "nobody", to_user_id: "somebody", amount: "1" },
  ExecuteBatch: { items: [{ add_money: { user_id: "nobody", amount: "1" } }] },
  FreezeWallet: { user_id: "nobody" },
  UnfreezeWallet: { user_id: "nobody" },
  CloseWallet: { user_id: "nobody" },
  SetWalletLimits: { user_id: "nobody" },
  ListWallets: { user_id: "nobody" },
  ListHolds: {},
  ListOperations: { user_id: "nobody" },
  GetStatement: { user_id: "nobody" },
  WatchOperations: {},
  VerifyLedger: {},
  VerifyReceipt: { operation_id: "1", hash: Buffer.alloc(32).toString("base64") },
};
