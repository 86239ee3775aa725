// Has a server's transactions run at SERIALIZABLE without the server's knowledge: on the wire, BEGIN becomes what asks for that.

import type { Rewriter } from "../../support/tcp-proxy.ts";

/** The simple query "BEGIN" and what stands in its place: a letter, the length that follows, the text (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const begin = simpleQuery("BEGIN");
const beginSerializable = simpleQuery("BEGIN ISOLATION LEVEL SERIALIZABLE");

/** For one connection: a message may come in two pieces. */
export function serializable(): Rewriter {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const whole: Buffer[] = [];
    for (;;) {
      // Only the first message has no letter.
      const letters = isStarted ? 1 : 0;
      if (rest.length < letters + 4) break;
      const end = letters + rest.readUInt32BE(letters);
      if (rest.length < end) break;
      const message = rest.subarray(0, end);
      whole.push(message.equals(begin) ? beginSerializable : message);
      rest = rest.subarray(end);
      isStarted = true;
    }
    return Buffer.concat(whole);
  };
}

function simpleQuery(text: string): Buffer {
  const message = Buffer.alloc(1 + 4 + text.length + 1);
  message.write("Q");
  message.writeUInt32BE(message.length - 1, 1);
  message.write(text, 5);
  return message;
}
