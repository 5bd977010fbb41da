/** Frames as a peer writes and reads them, made without the codec's own code. */

const TYPES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const WITH_PRIORITY = 0x20;

export interface Frame {
  readonly type: string;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: (typeof TYPES)[number] | number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = typeof type === 'number' ? type : TYPES.indexOf(type);
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export const uint32 = (...values: number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes;
    }),
  );

/** A block of literals that no table keeps. */
export function block(...fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

export const GET = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.example'],
] as const;
export const POST = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.example'],
] as const;

export const headers = (stream: number, flags: number, ...fields: readonly (readonly [string, string])[]): Buffer =>
  frame('HEADERS', flags, stream, block(...fields));
export const get = (stream: number, ...more: readonly (readonly [string, string])[]): Buffer =>
  headers(stream, END_HEADERS | END_STREAM, ...GET, ...more);
export const post = (stream: number, ...more: readonly (readonly [string, string])[]): Buffer =>
  headers(stream, END_HEADERS, ...POST, ...more);
export const data = (stream: number, flags: number, content: string | Uint8Array): Buffer =>
  frame('DATA', flags, stream, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
export const settings = (...pairs: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(
    'SETTINGS',
    0,
    0,
    Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)]))),
  );
export const settingsAck = frame('SETTINGS', ACK, 0, Buffer.alloc(0));
export const ping = (flags = 0, content = 'pingpong'): Buffer => frame('PING', flags, 0, Buffer.from(content));
export const rst = (stream: number, code: number): Buffer => frame('RST_STREAM', 0, stream, uint32(code));
export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame('WINDOW_UPDATE', 0, stream, uint32(increment));
export const goaway = (last: number, code: number): Buffer => frame('GOAWAY', 0, 0, uint32(last, code));
export const priority = (stream: number, dependency: number): Buffer =>
  frame('PRIORITY', 0, stream, Buffer.concat([uint32(dependency), Buffer.from([15])]));

/** Whole frames out of bytes. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = bytes.subarray(0, PREFACE.length).equals(PREFACE) ? PREFACE.length : 0;
  while (at + 9 <= bytes.length) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    const type = bytes[at + 3] as number;
    frames.push({
      type: TYPES[type] ?? String(type),
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

/** A frame in a few words; header blocks by their length only. */
export function describeFrame({ type, flags, stream, payload }: Frame): string {
  switch (type) {
    case 'DATA':
      return `DATA ${stream} ${payload.length}${(flags & END_STREAM) === 0 ? '' : ' end'}`;
    case 'HEADERS':
      return `HEADERS ${stream}${(flags & END_STREAM) === 0 ? '' : ' end'}`;
    case 'RST_STREAM':
      return `RST_STREAM ${stream} ${CODES[payload.readUInt32BE(0)]}`;
    case 'GOAWAY':
      return `GOAWAY ${payload.readUInt32BE(0)} ${CODES[payload.readUInt32BE(4)]}`;
    case 'WINDOW_UPDATE':
      return `WINDOW_UPDATE ${stream} ${payload.readUInt32BE(0)}`;
    case 'SETTINGS':
    case 'PING':
      return (flags & ACK) === 0 ? type : `${type} ack`;
    default:
      return `${type} ${stream}`;
  }
}
