// The wallet's own server with handlers that do nothing, or (second argument: a file) nothing but one bare commit of one row.

import { serveAddMoney } from "./add-money-server.ts";
import { openBareCommit } from "./bare-commit.ts";
import { constantAnswer } from "./constant-answer.ts";

const [port, commitPath] = process.argv.slice(2);
const commit = commitPath === undefined ? () => {} : openBareCommit(commitPath);

await serveAddMoney(Number(port), ({ userId }) => {
  commit(userId);
  return constantAnswer;
});
