// A proxy in front of a PostgreSQL that cuts connections: around a COMMIT, before the server has it, when it has it, or when it has answered; or at any time. It also stands for the
// address that moves from one server to another.

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Where the connection is cut. `before`: COMMIT never arrives. `after`: it arrives, and nobody hears the answer. `answered`: the server's answer is swallowed. */
export type Cut = "before" | "after" | "answered";

/** Changes what a client sends on one connection before it goes on. */
export type Rewriter = (data: Buffer) => Buffer;

interface Target {
  readonly host: string;
  readonly port: number;
}

/** The end of a message that is the query "COMMIT". */
const commit = Buffer.from("COMMIT\0");

export class TcpProxy {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #servers = new Set<Socket>();
  #target: Target;
  #isSilent = false;
  /** What becomes of each COMMIT that comes along; undefined lets it pass. */
  whenCommit: () => Cut | undefined = () => undefined;
  /** Makes what each connection is rewritten with. */
  rewriter: () => Rewriter = () => (data) => data;
  /** Hears what the server says. */
  whenSaid: (data: Buffer) => void = () => {};
  /** How many connections were cut at a COMMIT. */
  cuts = 0;

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer((client) => this.#forward(client));
  }

  /** In front of the server of this URL. */
  static async before(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetOf(url));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** The URL with the proxy's address in place of the server's. */
  through(url: string): string {
    return Object.assign(new URL(url), { host: `127.0.0.1:${(this.#server.address() as AddressInfo).port}` }).href;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Cuts the connection of the next COMMIT that comes along. */
  cutNextCommit(cut: Cut): void {
    this.whenCommit = () => {
      this.whenCommit = () => undefined;
      return cut;
    };
  }

  /** Cuts the connection with this number, counted from the oldest. */
  cutOne(number: number): void {
    [...this.#clients][number]?.resetAndDestroy();
  }

  /** Sends every new connection to the server of this URL. Those that there are stay where they are. */
  pointTo(url: string): void {
    this.#target = targetOf(url);
  }

  /** From now on nothing passes on the connections that there are, and they do not end: as when a machine or a cable is gone. New ones are forwarded. */
  freeze(): void {
    for (const socket of [...this.#clients, ...this.#servers]) socket.removeAllListeners("data").pause();
  }

  /** From now on new connections are accepted and nothing of them is forwarded; false: those that are new from then on are. */
  set isSilent(isSilent: boolean) {
    this.#isSilent = isSilent;
  }

  async close(): Promise<void> {
    for (const socket of [...this.#clients, ...this.#servers]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(client: Socket): void {
    this.#track(client, this.#clients);
    if (this.#isSilent) return void client.on("error", () => {});
    const server = connect(this.#target);
    this.#track(server, this.#servers);
    // The end of what went before: a message may come in two pieces.
    let last = Buffer.alloc(0);
    let cutting: Cut | undefined;
    const rewrite = this.rewriter();
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.end());
    }
    client.on("data", (data) => {
      const seen = Buffer.concat([last, data]);
      last = seen.subarray(-commit.length + 1);
      if (seen.includes(commit)) {
        cutting = this.whenCommit();
        if (cutting !== undefined) this.cuts += 1;
      }
      if (cutting === "before") server.destroy();
      else server.write(rewrite(data));
      if (cutting === "before" || cutting === "after") client.resetAndDestroy();
      if (cutting === "after") server.end();
    });
    server.on("data", (data) => {
      this.whenSaid(data);
      if (cutting === undefined) client.write(data);
      else client.resetAndDestroy();
    });
  }

  #track(socket: Socket, sockets: Set<Socket>): void {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  }
}

function targetOf(url: string): Target {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port) };
}

/** How many errors with this SQLSTATE are in what the server said, as far as a message has come in one piece. */
export function countErrors(said: Buffer, sqlstate: string): number {
  const field = `C${sqlstate}\0`;
  let count = 0;
  for (let at = said.indexOf(field); at !== -1; at = said.indexOf(field, at + 1)) count++;
  return count;
}
