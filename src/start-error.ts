// Why the service could not start, in one sentence for people.

/** A start that failed for a reason outside the program. The message is one sentence for whoever started it; no stack is shown. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * The sentence behind a failure to listen on `address` (host:port), for the causes that the operating system knows: taken, forbidden, not ours,
 * not a name. Returns a StartError as it is, and undefined for everything else, which is a defect and deserves its stack.
 */
export function asStartError(cause: unknown, address: string): StartError | undefined {
  if (cause instanceof StartError) return cause;
  if (!(cause instanceof Error) || !("syscall" in cause) || !("code" in cause)) return undefined;
  if (cause.syscall !== "listen" && cause.syscall !== "bind" && cause.syscall !== "getaddrinfo") return undefined;
  const sentence = listenSentence(String(cause.code), address);
  return new StartError(sentence, { cause });
}

function listenSentence(code: string, address: string): string {
  switch (code) {
    case "EADDRINUSE":
      return `Cannot listen on ${address}: another process already does. Stop it, or choose another WALLET_LISTEN (port 0 takes a free one).`;
    case "EACCES":
      return `Cannot listen on ${address}: the operating system does not permit this port to this user. Choose a WALLET_LISTEN with a port from 1024 on.`;
    case "EADDRNOTAVAIL":
      return `Cannot listen on ${address}: this machine does not have that address. Choose another WALLET_LISTEN.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `Cannot listen on ${address}: the host name does not resolve to an address. Choose another WALLET_LISTEN.`;
    default:
      return `Cannot listen on ${address}: the operating system answers ${code}. Choose another WALLET_LISTEN.`;
  }
}
