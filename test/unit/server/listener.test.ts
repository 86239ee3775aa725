// One port for HTTP/1.1 and HTTP/2, on real sockets: bytes in any pieces, peers that say nothing, nonsense, too much or too slowly.

import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { ConnectError, Code } from "@connectrpc/connect";
import { http1 } from "./raw-call.ts";
import { rawSocket, writeByteByByte } from "./raw-socket.ts";
import { factsOf, startTestServer, stopServers } from "./test-server.ts";

afterEach(stopServers);

const call = 'POST /wallet/add_money HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{"user_id":"ann","amount":"1"}';

function reasonsIn(answer: string): string[] {
  const body = Buffer.from(answer.slice(answer.indexOf("\r\n\r\n") + 4), "latin1");
  return factsOf(errorFromJsonBytes(body, undefined, new ConnectError(`no error: ${answer}`, Code.Unknown))).reasons;
}

describe("first bytes", () => {
  it("tells HTTP/2 whose preface comes byte by byte", async () => {
    const server = await startTestServer();
    // A proxy that takes packets apart.
    const proxy = createServer((client) => {
      const takeApart = async () => {
        const { socket } = await rawSocket(server.port);
        client.on("error", () => {});
        client.on("close", () => socket.destroy());
        socket.pipe(client);
        for await (const chunk of client) await writeByteByByte(socket, chunk as Buffer);
      };
      takeApart().catch(() => client.destroy());
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const session = connectHttp2(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const stream = session.request({ ":path": "/readyz" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(200);
    session.destroy();
    proxy.close();
  });

  it.each(["GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n", "PROPFIND /readyz HTTP/1.1\r\nhost: x\r\n\r\n", call])("tells HTTP/1.1 that comes byte by byte: %j", async (bytes) => {
    const server = await startTestServer();
    const { socket, until } = await rawSocket(server.port);
    await writeByteByByte(socket, Buffer.from(bytes));
    expect(await until((received) => received.includes("\r\n\r\n"))).toMatch(/^HTTP\/1\.1 (200|501)/);
    socket.destroy();
  });

  it("sends a silent peer away", async () => {
    const server = await startTestServer({ firstByteTimeoutMs: 50 });
    const { closed } = await rawSocket(server.port);
    expect(await closed()).toBe("");
  });

  it("sends a peer away that begins the preface and never goes on", async () => {
    const server = await startTestServer({ firstByteTimeoutMs: 50 });
    const { socket, closed } = await rawSocket(server.port);
    socket.write("PR");
    expect(await closed()).toBe("");
  });

  it("keeps a peer whose first byte came in time", async () => {
    const server = await startTestServer({ firstByteTimeoutMs: 50 });
    const { socket, until } = await rawSocket(server.port);
    socket.write(call.slice(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 150));
    socket.write(call.slice(10));
    expect(await until((received) => received.includes("}"))).toContain("200 OK");
    socket.destroy();
  });

  it.each(["/wallet/add_money", "/nothing"])("lets a peer go that ends its side, whatever %s does", async (path) => {
    const server = await startTestServer();
    const { socket, closed } = await rawSocket(server.port, { allowHalfOpen: true });
    socket.end(call.replace("/wallet/add_money", path).replace('"ann"', '"wait"').replace("content-length: 30", "content-length: 31"));
    socket.once("end", () => socket.destroy());
    await closed();
    server.gate.open();
  });

  it("lets a peer go that says nothing and leaves", async () => {
    const server = await startTestServer({ firstByteTimeoutMs: 60_000 });
    const { socket, closed } = await rawSocket(server.port, { allowHalfOpen: true });
    socket.end();
    socket.once("end", () => socket.destroy());
    expect(await closed()).toBe("");
  });
});

describe("nonsense and excess", () => {
  it.each([
    ["no HTTP", "hello\r\n\r\n", "400", "INVALID_REQUEST"],
    ["a request target that is no path", "GET no-path HTTP/1.1\r\nhost: x\r\n\r\n", "400", "INVALID_REQUEST"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400", "INVALID_REQUEST"],
    ["a broken header", "GET / HTTP/1.1\r\nhost x\r\n\r\n", "400", "INVALID_REQUEST"],
    ["two lengths", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "400", "INVALID_REQUEST"],
    ["too many headers", `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${"y".repeat(20_000)}\r\n\r\n`, "431", "MESSAGE_TOO_LARGE"],
  ])("tells %s", async (_, bytes, status, reason) => {
    const server = await startTestServer();
    const { socket, closed } = await rawSocket(server.port);
    socket.write(Buffer.from(bytes, "latin1"));
    const answer = await closed();
    expect(answer.slice(9, 12)).toBe(status);
    expect(reasonsIn(answer)).toEqual([reason]);
  });

  it("tells headers that come too slowly", async () => {
    const server = await startTestServer({ headersTimeoutMs: 100 });
    const { socket, closed } = await rawSocket(server.port);
    socket.write("GET /readyz HTTP/1.1\r\nhost: x\r\n");
    const answer = await closed();
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(reasonsIn(answer)).toEqual(["DEADLINE_EXCEEDED"]);
  });

  it.each(["/wallet/add_money", "/wallet.v1.WalletService/AddMoney", "/nothing"])("answers in time where the body of %s does not arrive", async (path) => {
    const server = await startTestServer({ requestTimeoutMs: 100 });
    const { socket, until, closed } = await rawSocket(server.port);
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`);
    const answer = await until((received) => received.includes("}]}"));
    expect(reasonsIn(answer)).toEqual([path === "/nothing" ? "UNKNOWN_METHOD" : "DEADLINE_EXCEEDED"]);
    await closed();
  });

  it.each([
    ["/wallet/add_money", "DEADLINE_EXCEEDED"],
    ["/wallet.v1.WalletService/AddMoney", "DEADLINE_EXCEEDED"],
    ["/nothing", "UNKNOWN_METHOD"],
  ])("answers in time where an HTTP/2 body does not arrive at %s, and ends its stream", async (path, reason) => {
    const server = await startTestServer({ requestTimeoutMs: 100 });
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
    stream.write("{");
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    await once(stream, "close");
    expect(Buffer.concat(chunks).toString()).toContain(reason);
    session.close();
  });

  it.each([
    ["nonsense", "xx"],
    ["a line and a body of another request", "\n{}"],
    ["a second request, and nonsense behind it", `${call}xx`],
  ])("answers what came whole before %s, and ends the connection", async (_, behind) => {
    const server = await startTestServer();
    const { socket, until, closed } = await rawSocket(server.port);
    socket.write(call + behind);
    const answers = behind.startsWith("POST") ? 2 : 1;
    const received = await until((text) => text.split("200 OK").length > answers);
    expect(received.split("200 OK")).toHaveLength(answers + 1);
    await closed();
    expect(server.seen).toHaveLength(answers);
  });

  it("tells nonsense that comes after requests which have been answered", async () => {
    const server = await startTestServer();
    const { socket, until, closed } = await rawSocket(server.port);
    socket.write(call + call);
    const answered = await until((text) => text.split("200 OK").length === 3 && text.endsWith("}"));
    socket.write("hello\r\n\r\n");
    const told = (await closed()).slice(answered.length);
    expect(told.slice(9, 12)).toBe("400");
    expect(reasonsIn(told)).toEqual(["INVALID_REQUEST"]);
  });

  it("answers over HTTP/2 whatever the request expects", async () => {
    const server = await startTestServer();
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": "/wallet/add_money", "content-type": "application/json", expect: "wonders" });
    stream.end('{"user_id":"ann","amount":"1"}');
    const [head] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(head[":status"]).toBe(200);
    session.destroy();
  });

  it("uses a connection again after a body that was too large", async () => {
    const server = await startTestServer();
    const { socket, until } = await rawSocket(server.port);
    const size = 200_000;
    socket.write(`POST /wallet/add_money HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n${" ".repeat(size)}`);
    expect(reasonsIn(await until((received) => received.includes("}]}")))).toEqual(["MESSAGE_TOO_LARGE"]);
    socket.write(call);
    await until((received) => received.includes("200 OK"));
    socket.destroy();
  });

  it.each([
    ["an absolute target", "GET http://elsewhere:99/nothing HTTP/1.1\r\nhost: x\r\n\r\n"],
    ["a host that is none", "GET /nothing HTTP/1.1\r\nhost: [[[\r\n\r\n"],
    ["no host in HTTP/1.0", "GET /nothing HTTP/1.0\r\n\r\n"],
    ["OPTIONS of everything", "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n"],
  ])("answers %s", async (_, bytes) => {
    const server = await startTestServer();
    const { socket, until } = await rawSocket(server.port);
    socket.write(bytes);
    expect(reasonsIn(await until((received) => received.includes("}]}")))).toEqual(["UNKNOWN_METHOD"]);
    socket.destroy();
  });

  it("closes connections beyond the most that it takes", async () => {
    const server = await startTestServer({ connectionsMax: 2 });
    const first = await rawSocket(server.port);
    const second = await rawSocket(server.port);
    const third = await rawSocket(server.port);
    await third.closed();
    first.socket.write(call);
    await first.until((received) => received.includes("200 OK"));
    first.socket.destroy();
    second.socket.destroy();
  });

  it("tells HTTP/2 peers how many streams they may have, and how large headers may be", async () => {
    const server = await startTestServer({ streamsPerConnectionMax: 7, headerMaxBytes: 8_192 });
    const session = connectHttp2(server.url);
    const [settings] = (await once(session, "remoteSettings")) as [{ maxConcurrentStreams: number; maxHeaderListSize: number }];
    expect(settings).toMatchObject({ maxConcurrentStreams: 7, maxHeaderListSize: 8_192 });
    session.close();
  });

  it("survives whatever ends a connection", async () => {
    const server = await startTestServer();
    for (const bytes of ["", "P", "PRI", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"\xff".repeat(200)}`, "PRI * HTTP/1.1\r\n\r\n", call.slice(0, 50), call.slice(0, -3)]) {
      const { socket, closed } = await rawSocket(server.port);
      if (bytes !== "") await new Promise((resolve) => socket.write(Buffer.from(bytes, "latin1"), resolve));
      await new Promise((resolve) => setTimeout(resolve, 10));
      socket.resetAndDestroy();
      await closed();
    }
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": "/wallet.v1.WalletService/AddMoney", "content-type": "application/grpc" });
    stream.write(Buffer.from([0, 0, 0, 0, 9, 1]));
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, "close");
    session.destroy();
    expect((await http1(`${server.url}/healthz`)).status).toBe(200);
    expect(server.log.filter((line) => Number(line["level"]) >= 50)).toEqual([]);
  });

  it("lets an HTTP/2 connection go whose calls are over, answered or cancelled", async () => {
    const server = await startTestServer({ idleTimeoutMs: 100 });
    const session = connectHttp2(server.url);
    const answered = session.request({ ":path": "/readyz" });
    answered.resume();
    await once(answered, "close");
    const cancelled = session.request({ ":method": "POST", ":path": "/wallet/add_money", "content-type": "application/json" });
    cancelled.write("{");
    cancelled.close(constants.NGHTTP2_CANCEL);
    await once(session, "close");
  });

  it("lets an idle HTTP/2 connection go, but not one that waits for an answer", async () => {
    const server = await startTestServer({ idleTimeoutMs: 100 });
    const idle = connectHttp2(server.url);
    await once(idle, "close");
    const busy = connectHttp2(server.url);
    const stream = busy.request({ ":method": "POST", ":path": "/wallet/add_money", "content-type": "application/json" });
    stream.end('{"user_id":"wait","amount":"1"}');
    await server.gate.waitFor(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([busy.closed, busy.destroyed]).toEqual([false, false]);
    server.gate.open();
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(200);
    busy.destroy();
  });

  it("lets a peer finish a body that nobody wanted", async () => {
    const server = await startTestServer();
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "content-type": "application/grpc" });
    stream.resume();
    const finished = once(stream, "finish");
    // More than a stream's window, after a frame that ends the call: it is only sent if somebody reads it.
    stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
    await once(stream, "trailers");
    stream.end(Buffer.alloc(1024 * 1024));
    await Promise.race([finished, once(stream, "close")]);
    session.close();
  });

  it("forgets streams that are reset with NO_ERROR while their answer is written", async () => {
    const server = await startTestServer({ drainTimeoutMs: 600_000 });
    for (let round = 0; round < 20; round += 1) {
      const session = connectHttp2(server.url);
      session.on("error", () => {});
      const closed = [...Array(50).keys()].map(async (index) => {
        const stream = session.request({ ":method": "POST", ":path": "/nothing" });
        stream.on("error", () => {});
        stream.write("{");
        await new Promise((resolve) => setTimeout(resolve, index % 10));
        stream.close(constants.NGHTTP2_NO_ERROR);
        stream.resume();
        if (!stream.destroyed) await once(stream, "close");
      });
      await Promise.all(closed);
      session.destroy();
    }
    // It waits for every connection to end.
    await server.drain();
  });
});
