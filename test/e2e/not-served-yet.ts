// The RPCs that the protos declare and this version does not serve. Whoever serves one moves it from here into a scenario.

/** Declared in the protos and answered with UNKNOWN_METHOD by this version: each with a request that breaks no rule. */
export const notServedYet = {
  ExecuteBatch: { items: [{ add_money: { user_id: "nobody", amount: "1" } }] },
  WatchOperations: {},
};
