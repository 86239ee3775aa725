// Prints docs/errors.md from the table of errors, so that the page cannot say anything else than the code.

import { writeFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { errorTable } from "../src/api/errors.ts";

const rows = Object.entries(errorTable).map(([reason, { code, meaning }]) => {
  const name = Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return `| \`${reason}\` | ${name} | ${codeToHttpStatus(code)} | ${meaning} |`;
});

const page = `# Errors

Every error of the service is a gRPC/Connect status with exactly one \`google.rpc.ErrorInfo\`: domain \`wallet.v1\`, one of these reasons, and the facts as \`metadata\`.
The one exception is \`grpc.health.v1\`, whose own protocol asks for a plain NOT_FOUND. Bad input also carries \`google.rpc.BadRequest\` with the name of the field, and errors after which trying again helps carry \`google.rpc.RetryInfo\`.
Programs look at the reason; the sentence is for people and may change. A rejection that was remembered under an idempotency key comes back with
\`replayed: "true"\` in its metadata.

On an RPC's own path a wrong HTTP method is answered 405 and a wrong content type 415, as Connect says, with the reasons below.

| Reason | Code | HTTP status (Connect, REST) | Meaning |
| --- | --- | --- | --- |
${rows.join("\n")}
`;

writeFileSync(new URL("../docs/errors.md", import.meta.url), page);
