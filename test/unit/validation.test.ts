// Requests in which nothing is wrong never bring protovalidate's engines into the process: it would start later and larger.

import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

/** Validates a right request and then a wrong one, and prints after each how many modules of the engines are loaded. */
const program = `
  import { registerHooks } from "node:module";
  let engineModules = 0;
  registerHooks({
    load(url, context, nextLoad) {
      if (/@bufbuild\\/(cel|re2)\\//.test(url)) engineModules++;
      return nextLoad(url, context);
    },
  });
  const { create } = await import("@bufbuild/protobuf");
  const { ReportService } = await import("./gen/wallet/v1/report_service_pb.ts");
  const { AddMoneyRequestSchema, WalletService } = await import("./gen/wallet/v1/wallet_service_pb.ts");
  const { createRequestValidator } = await import("./src/api/validation.ts");
  const validate = createRequestValidator([WalletService, ReportService]);
  validate(AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId: "ann", currency: "USD", amount: "10.50", idempotencyKey: "k", metadata: { k: "v" } }));
  const afterRight = engineModules;
  let refusal;
  try {
    validate(AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId: "ann", amount: "10,50" }));
  } catch (error) {
    refusal = error.rawMessage;
  }
  console.log(JSON.stringify({ afterRight, afterWrong: engineModules > 0, refusal }));
`;

it("loads them for the first request that is wrong, and not before", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: new URL("../..", import.meta.url), encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    afterRight: 0,
    afterWrong: true,
    refusal: 'amount: must be a decimal string such as "10.50": digits, optionally a point and digits; no sign, exponent, spaces or separators',
  });
});
