// Many watches at little cost to the test itself: HTTP/2 streams that read their first answer, and then nothing, or only what they are asked to.

import { create, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { ReportService, WatchOperationsRequestSchema } from "../../gen/wallet/v1/report_service_pb.ts";

const method = ReportService.method.watchOperations;
const path = `/${method.parent.typeName}/${method.name}`;

/** Opens a watch from now on this connection and resolves with its first answer. With `reads`, what follows is read and thrown away. */
export async function rawWatch(session: ClientHttp2Session, { user, reads }: { user?: string | undefined; reads: boolean }): Promise<void> {
  const message = toBinary(WatchOperationsRequestSchema, create(WatchOperationsRequestSchema, user === undefined ? {} : { userId: user }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" });
  stream.on("error", () => {});
  stream.end(Buffer.concat([head, message]));
  await once(stream, "readable");
  stream.read();
  if (reads) stream.resume();
}

/** Connections with so many watches altogether, each with `perSession`; `user` names whose operations each one wants. */
export async function rawWatches(
  address: string,
  { count, perSession, user = () => undefined, reads }: { count: number; perSession: number; user?: (index: number) => string | undefined; reads: boolean },
): Promise<ClientHttp2Session[]> {
  const sessions: ClientHttp2Session[] = [];
  for (let opened = 0; opened < count; opened += perSession) {
    const session = connect(`http://${address}`);
    session.on("error", () => {});
    sessions.push(session);
    await Promise.all(Array.from({ length: Math.min(perSession, count - opened) }, (_, index) => rawWatch(session, { user: user(opened + index), reads })));
  }
  return sessions;
}
