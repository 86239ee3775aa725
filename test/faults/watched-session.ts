// An HTTP/2 connection that keeps gRPC calls in flight and sees how each of its streams ends, which a gRPC library hides.

import { create, toBinary } from "@bufbuild/protobuf";
import { connect, constants } from "node:http2";
import { AddMoneyRequestSchema } from "../../gen/wallet/v1/wallet_service_pb.ts";

export interface StreamEnds {
  /** Answers with their status. */
  readonly whole: number;
  /** Streams of which the server said, by GOAWAY or REFUSED_STREAM, that it never took them. */
  readonly notTaken: number;
  /** Answers that began and did not end, and streams that the server may have taken and never answered. */
  readonly broken: string[];
}

export interface WatchedSession {
  /** Resolves when the server has ended the connection and every stream is over. */
  readonly ended: Promise<StreamEnds>;
}

const path = "/wallet.v1.WalletService/AddMoney";

/** Adds money to this user's wallet, so many calls at a time, until the server ends the connection. */
export function watchSession(address: string, userId: string, inFlight: number): WatchedSession {
  const session = connect(`http://${address}`);
  const ends = { whole: 0, notTaken: 0, broken: [] as string[] };
  let lastTakenStream = Infinity;
  let open = 0;
  let isOver = false;
  const ended = Promise.withResolvers<StreamEnds>();
  const finish = (): void => {
    if (isOver && open === 0) ended.resolve(ends);
  };
  session.on("error", (error) => ends.broken.push(`connection: ${error.message}`));
  session.on("goaway", (code, lastStreamId) => {
    if (code !== constants.NGHTTP2_NO_ERROR) ends.broken.push(`GOAWAY with code ${code}`);
    lastTakenStream = lastStreamId;
  });
  session.on("close", () => {
    isOver = true;
    finish();
  });

  const call = (number: number): void => {
    if (session.closed || session.destroyed) return;
    open++;
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" });
    let hasBegun = false;
    let status: string | undefined;
    stream.on("response", (headers) => {
      hasBegun = true;
      status = headers["grpc-status"] as string | undefined;
    });
    stream.on("trailers", (headers) => (status = headers["grpc-status"] as string | undefined));
    stream.on("error", () => {});
    // Unread, it would never close.
    stream.resume();
    stream.on("close", () => {
      open--;
      if (status !== undefined) ends.whole++;
      else if (!hasBegun && isNotTaken(stream.id, stream.rstCode, lastTakenStream)) ends.notTaken++;
      else ends.broken.push(`stream ${stream.id}: ${hasBegun ? "half an answer" : "no answer"}, code ${stream.rstCode}, last taken ${lastTakenStream}`);
      if (status !== undefined) call(number + inFlight);
      finish();
    });
    const message = toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId, amount: "1", idempotencyKey: `watched-${userId}-${number}` }));
    const envelope = Buffer.alloc(5);
    envelope.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([envelope, message]));
  };
  for (let number = 0; number < inFlight; number++) call(number);
  return { ended: ended.promise };
}

/** RFC 9113, sections 6.8 and 8.7. A stream without an id never left this process. */
function isNotTaken(streamId: number | undefined, code: number, lastTakenStream: number): boolean {
  return streamId === undefined || streamId > lastTakenStream || code === constants.NGHTTP2_REFUSED_STREAM;
}
