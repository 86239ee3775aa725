// A port of this machine that nobody listens on.

import { createServer, type AddressInfo } from "node:net";

/** On 127.0.0.1; the preferred one where nobody has it. Whoever asked is to listen on it soon: somebody else might. */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer();
  const failure = await new Promise<Error | undefined>((resolve) => {
    server.once("error", resolve);
    server.listen(preferred, "127.0.0.1", () => resolve(undefined));
  });
  if (failure !== undefined) {
    if (preferred !== 0) return freePort();
    throw failure;
  }
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
