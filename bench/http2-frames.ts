// As much of HTTP/2 (RFC 9113) as a load client needs, frame by frame, so that the client costs a few microseconds a call.

/** The client's connection preface. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const frameHeadBytes = 9;

export const frameTypes = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;

export const endStreamFlag = 0x1;
export const ackFlag = 0x1;
const endHeadersFlag = 0x4;

/** The initial window of every connection and stream, in bytes. */
export const initialWindowBytes = 65_535;

const initialWindowSizeSetting = 4;
const windowMaxBytes = 2 ** 31 - 1;

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, frameHeadBytes);
  return bytes;
}

/** What a client says first: the preface, and that answers may be as large as they like. */
export function greeting(): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(initialWindowSizeSetting, 0);
  setting.writeUInt32BE(windowMaxBytes, 2);
  return Buffer.concat([preface, frame(frameTypes.settings, 0, 0, setting), windowUpdate(windowMaxBytes - initialWindowBytes)]);
}

/** Lets the peer send so many more bytes on the connection. */
export function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(frameTypes.windowUpdate, 0, 0, payload);
}

export interface CallHeaders {
  readonly path: string;
  readonly authority: string;
  readonly contentType: string;
  /** Further headers, their names in lower case. */
  readonly more: Readonly<Record<string, string>>;
}

/**
 * The headers of a call by POST as HPACK (RFC 7541). The first request of a connection teaches them to the peer; the later ones refer to what it
 * has learnt, as every real client does.
 */
export function callHeaders({ path, authority, contentType, more }: CallHeaders): { first: Buffer; later: Buffer } {
  const post = 0x83;
  const http = 0x86;
  const named = Object.entries(more).map(([name, value]) => Buffer.concat([Buffer.of(0x40), text(name), text(value)]));
  const learnt = [indexed(4, path), indexed(1, authority), indexed(31, contentType), ...named];
  const first = Buffer.concat([Buffer.of(post, http), ...learnt]);
  // The dynamic table begins at 62 with what was learnt last.
  const later = Buffer.of(post, http, ...learnt.map((_, index) => 0x80 | (61 + learnt.length - index)));
  return { first: frame(frameTypes.headers, endHeadersFlag, 0, first), later: frame(frameTypes.headers, endHeadersFlag, 0, later) };
}

/** A literal to be remembered, its name taken from the static table. */
function indexed(nameIndex: number, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40 | nameIndex), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  if (bytes.length > 126) throw new RangeError(`${value} is too long for a length of one byte`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
