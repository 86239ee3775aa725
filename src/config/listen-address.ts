// Where the server listens: reading an address, writing it, and knowing whether other machines can reach it.

import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** A host (an IP address without brackets, or a name) and a TCP port; port 0 means that the operating system picks a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The largest TCP port: 16 bits. */
const portMax = 65_535;

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/**
 * Reads `host:port` or `[v6]:port`; undefined for anything else. `:8080` is not accepted: elsewhere it means every interface, and that should be
 * said in so many words. Nor is a shortened IPv4 address such as `127.1`, which programs read differently.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, v6, named, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? named;
  const port = Number(digits);
  if (host === undefined || port > portMax) return undefined;
  if (v6 !== undefined) return isIPv6(v6) ? { host, port } : undefined;
  const isNumeric = /^[\d.]+$/.test(host);
  return (isNumeric ? isIPv4(host) : hostName.test(host)) ? { host, port } : undefined;
}

/** The address as it is written: `127.0.0.1:8080`, `[::1]:8080`. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4"); // RFC 1122, 3.2.1.3; `check` also finds it behind ::ffff:
loopback.addAddress("::1", "ipv6"); // RFC 4291, 2.5.3

/** Whether only this machine can reach the host. A name other than `localhost` may resolve to anything, so it does not count. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost"; // RFC 6761, 6.3
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
