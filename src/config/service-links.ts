// The environment variables that Kubernetes adds for services, which can look like settings of ours.

/**
 * Whether the variable is a link that Kubernetes puts into every pod for a service called `wallet` or `wallet-…`
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables): `WALLET_SERVICE_HOST`,
 * `WALLET_SERVICE_PORT_GRPC`, `WALLET_PORT=tcp://…`, `WALLET_PORT_8080_TCP_ADDR`. They are nobody's mistake, so they must not stop the start.
 */
export function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value);
}
