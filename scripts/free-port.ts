// A port of this machine that nobody listens on.

import { createServer, type AddressInfo } from "node:net";

/** On 127.0.0.1. Whoever asked is to listen on it soon: somebody else might. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
