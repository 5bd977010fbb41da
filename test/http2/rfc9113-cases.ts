/** What RFC 9113 and RFC 7541 ask of a server, as data: frames in behind the preface and settings, frames out, events. */
import {
  ACK,
  block,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  get,
  goaway,
  headers,
  PADDED,
  POST,
  ping,
  post,
  priority,
  rst,
  settings,
  uint32,
  WITH_PRIORITY,
  windowUpdate,
} from './frames.ts';

export interface Rfc9113Case {
  readonly section: string;
  readonly name: string;
  readonly send: readonly Uint8Array[];
  /** The frames that come back, in a few words. */
  readonly expect: readonly string[];
}

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const filled = (length: number): Buffer => Buffer.alloc(length, 0x61);
const answered = (stream: number): string => `HEADERS ${stream} end`;
const resetBy = (code: string, stream = 1): readonly string[] => [`RST_STREAM ${stream} ${code}`];
const endedBy = (code: string, last = 0): readonly string[] => [`GOAWAY ${last} ${code}`];
const with1 = (...more: readonly (readonly [string, string])[]): Uint8Array[] => [get(1, ...more)];
const only = (...fields: readonly (readonly [string, string])[]): Uint8Array[] => [
  headers(1, END_HEADERS | END_STREAM, ...fields),
];
const without = (name: string): (readonly [string, string])[] => GET.filter(([candidate]) => candidate !== name);
const replaced = (name: string, value: string): (readonly [string, string])[] =>
  GET.map(([candidate, old]) => [candidate, candidate === name ? value : old] as const);

const continuation = (stream: number): Buffer => frame('CONTINUATION', END_HEADERS, stream, block(['x', 'y']));

const FRAMES: readonly Rfc9113Case[] = [
  {
    section: '4.1',
    name: 'a frame of an unknown type',
    send: [frame(0x16, 0, 0, filled(8)), get(1)],
    expect: [answered(1)],
  },
  { section: '4.1', name: 'flags that mean nothing', send: [frame('PING', 0xfe, 0, filled(8))], expect: ['PING ack'] },
  {
    section: '4.1',
    name: 'the reserved bit of a stream',
    send: [frame('PING', 0, 0x80000000, filled(8))],
    expect: ['PING ack'],
  },
  {
    section: '4.2',
    name: 'DATA of the greatest size',
    send: [post(1), data(1, END_STREAM, filled(16_384))],
    expect: [answered(1)],
  },
  {
    section: '4.2',
    name: 'DATA that is too large',
    send: [post(1), data(1, END_STREAM, filled(16_385))],
    expect: endedBy('FRAME_SIZE_ERROR', 1),
  },
  {
    section: '4.2',
    name: 'HEADERS that are too large',
    send: [frame('HEADERS', END_HEADERS, 1, filled(16_385))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  {
    section: '4.3',
    name: 'a block that is no HPACK',
    send: [frame('HEADERS', END_HEADERS | END_STREAM, 1, filled(1))],
    expect: endedBy('COMPRESSION_ERROR'),
  },
  {
    section: '4.3',
    name: 'another frame within a block',
    send: [headers(1, END_STREAM, ...GET), priority(1, 0)],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '4.3',
    name: 'HEADERS of another stream within a block',
    send: [headers(1, END_STREAM, ...GET), get(3)],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '4.3',
    name: 'an unknown frame within a block',
    send: [headers(1, END_STREAM, ...GET), frame(0x16, 0, 0, filled(1))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  { section: '5.1', name: 'idle: DATA', send: [data(1, END_STREAM, 'x')], expect: endedBy('PROTOCOL_ERROR') },
  { section: '5.1', name: 'idle: RST_STREAM', send: [rst(1, 8)], expect: endedBy('PROTOCOL_ERROR') },
  { section: '5.1', name: 'idle: WINDOW_UPDATE', send: [windowUpdate(1, 100)], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '5.1',
    name: 'idle: CONTINUATION',
    send: [frame('CONTINUATION', END_HEADERS, 1, block(...GET))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '5.1',
    name: 'half-closed: WINDOW_UPDATE, PRIORITY and RST_STREAM',
    send: [get(1), windowUpdate(1, 1), priority(1, 0), rst(1, 8), ping()],
    expect: [answered(1), 'PING ack'],
  },
  {
    section: '5.1',
    name: 'closed by END_STREAM: DATA',
    send: [get(1), data(1, 0, 'x')],
    expect: [answered(1), 'GOAWAY 1 STREAM_CLOSED'],
  },
  {
    section: '5.1',
    name: 'closed by END_STREAM: HEADERS',
    send: [get(1), get(1)],
    expect: [answered(1), 'GOAWAY 1 STREAM_CLOSED'],
  },
  {
    section: '5.1',
    name: 'closed by RST_STREAM: DATA',
    send: [post(1), rst(1, 8), data(1, 0, 'x')],
    expect: endedBy('STREAM_CLOSED', 1),
  },
  {
    section: '5.1',
    name: 'closed by RST_STREAM: HEADERS',
    send: [post(1), rst(1, 8), post(1)],
    expect: endedBy('STREAM_CLOSED', 1),
  },
  {
    section: '5.1',
    name: 'closed by END_STREAM: CONTINUATION',
    send: [get(1), continuation(1)],
    expect: [answered(1), 'GOAWAY 1 PROTOCOL_ERROR'],
  },
  {
    section: '5.1',
    name: 'closed by RST_STREAM: CONTINUATION',
    send: [post(1), rst(1, 8), continuation(1)],
    expect: endedBy('PROTOCOL_ERROR', 1),
  },
  {
    section: '5.1',
    name: 'PRIORITY of a stream that is idle, before one below it, and of one that is closed',
    send: [priority(5, 0), get(1), priority(1, 3), ping()],
    expect: [answered(1), 'PING ack'],
  },
  { section: '5.1.1', name: 'an even stream', send: [get(2)], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '5.1.1',
    name: 'a stream that was passed over',
    send: [get(5), get(3)],
    expect: [answered(5), 'GOAWAY 5 PROTOCOL_ERROR'],
  },
  {
    section: '5.1.1',
    name: 'streams may be passed over',
    send: [get(5), get(11)],
    expect: [answered(5), answered(11)],
  },
  {
    section: '5.1.2',
    name: 'more streams than allowed',
    send: Array.from({ length: 101 }, (_, i) => post(i * 2 + 1)),
    expect: resetBy('REFUSED_STREAM', 201),
  },
  {
    section: '5.3.1',
    name: 'HEADERS that depend on themselves',
    send: [
      frame(
        'HEADERS',
        END_HEADERS | END_STREAM | WITH_PRIORITY,
        1,
        Buffer.concat([uint32(1), bytes(15), block(...GET)]),
      ),
    ],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '5.3.1',
    name: 'PRIORITY that depends on itself',
    send: [post(1), priority(1, 1)],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '5.3.2',
    name: 'priority is read and ignored',
    send: [
      priority(1, 0),
      priority(7, 3),
      frame(
        'HEADERS',
        END_HEADERS | END_STREAM | WITH_PRIORITY,
        1,
        Buffer.concat([uint32(7), bytes(15), block(...GET)]),
      ),
    ],
    expect: [answered(1)],
  },
  { section: '6.1', name: 'DATA without a stream', send: [data(0, 0, 'x')], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '6.1',
    name: 'padded DATA',
    send: [
      post(1, ['content-length', '3']),
      frame('DATA', PADDED | END_STREAM, 1, Buffer.concat([bytes(4), filled(7)])),
    ],
    expect: [answered(1)],
  },
  {
    section: '6.1',
    name: 'padding as long as its DATA',
    send: [post(1), frame('DATA', PADDED, 1, bytes(5, 0, 0, 0, 0))],
    expect: endedBy('PROTOCOL_ERROR', 1),
  },
  {
    section: '6.1',
    name: 'padded DATA without the length of it',
    send: [post(1), frame('DATA', PADDED, 1, bytes())],
    expect: endedBy('PROTOCOL_ERROR', 1),
  },
  { section: '6.2', name: 'HEADERS without a stream', send: [get(0)], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '6.2',
    name: 'padded HEADERS with priority',
    send: [
      frame(
        'HEADERS',
        END_HEADERS | END_STREAM | PADDED | WITH_PRIORITY,
        1,
        Buffer.concat([bytes(3), uint32(0), bytes(9), block(...GET), filled(3)]),
      ),
    ],
    expect: [answered(1)],
  },
  {
    section: '6.2',
    name: 'padding longer than its HEADERS',
    send: [frame('HEADERS', END_HEADERS | PADDED, 1, Buffer.concat([bytes(200), block(...GET)]))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.2',
    name: 'HEADERS too short for their priority',
    send: [frame('HEADERS', END_HEADERS | WITH_PRIORITY, 1, bytes(0, 0))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  { section: '6.3', name: 'PRIORITY without a stream', send: [priority(0, 1)], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '6.3',
    name: 'PRIORITY of another length',
    send: [post(1), frame('PRIORITY', 0, 1, filled(4))],
    expect: resetBy('FRAME_SIZE_ERROR'),
  },
  { section: '6.4', name: 'RST_STREAM without a stream', send: [rst(0, 8)], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '6.4',
    name: 'RST_STREAM of another length',
    send: [post(1), frame('RST_STREAM', 0, 1, filled(3))],
    expect: endedBy('FRAME_SIZE_ERROR', 1),
  },
  {
    section: '6.5',
    name: 'settings are acknowledged',
    send: [settings([0x5, 16_384], [0x4, 1_000])],
    expect: ['SETTINGS ack'],
  },
  {
    section: '6.5',
    name: 'an acknowledgement with a payload',
    send: [frame('SETTINGS', ACK, 0, filled(6))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  {
    section: '6.5',
    name: 'SETTINGS on a stream',
    send: [frame('SETTINGS', 0, 1, filled(6))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.5',
    name: 'SETTINGS of another length',
    send: [frame('SETTINGS', 0, 0, filled(5))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  { section: '6.5.2', name: 'ENABLE_PUSH of 2', send: [settings([0x2, 2])], expect: endedBy('PROTOCOL_ERROR') },
  {
    section: '6.5.2',
    name: 'INITIAL_WINDOW_SIZE above 2^31-1',
    send: [settings([0x4, 0x80000000])],
    expect: endedBy('FLOW_CONTROL_ERROR'),
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE below 2^14',
    send: [settings([0x5, 16_383])],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE above 2^24-1',
    send: [settings([0x5, 0x1000000])],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.5.2',
    name: 'an unknown setting',
    send: [settings([0xff, 1]), ping()],
    expect: ['SETTINGS ack', 'PING ack'],
  },
  {
    section: '6.6',
    name: 'PUSH_PROMISE from a client',
    send: [frame('PUSH_PROMISE', END_HEADERS, 1, Buffer.concat([uint32(2), block(...GET)]))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  { section: '6.7', name: 'PING is answered', send: [ping()], expect: ['PING ack'] },
  {
    section: '6.7',
    name: 'the answer to a PING that we did not send',
    send: [ping(ACK), ping()],
    expect: ['PING ack'],
  },
  {
    section: '6.7',
    name: 'PING on a stream',
    send: [frame('PING', 0, 1, filled(8))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.7',
    name: 'PING of another length',
    send: [frame('PING', 0, 0, filled(6))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  {
    section: '6.8',
    name: 'GOAWAY on a stream',
    send: [frame('GOAWAY', 0, 1, uint32(0, 0))],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.8',
    name: 'GOAWAY that is too short',
    send: [frame('GOAWAY', 0, 0, uint32(0))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  {
    section: '6.8',
    name: 'what runs is answered behind a GOAWAY',
    send: [post(1), goaway(0, 0), data(1, END_STREAM, 'x')],
    expect: [answered(1), 'GOAWAY 1 NO_ERROR'],
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of nothing for the connection',
    send: [windowUpdate(0, 0)],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of nothing for a stream',
    send: [post(1), windowUpdate(1, 0)],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of another length',
    send: [frame('WINDOW_UPDATE', 0, 0, filled(3))],
    expect: endedBy('FRAME_SIZE_ERROR'),
  },
  {
    section: '6.9.1',
    name: 'a window of the connection above 2^31-1',
    send: [windowUpdate(0, 0x7fffffff), windowUpdate(0, 0x7fffffff)],
    expect: endedBy('FLOW_CONTROL_ERROR'),
  },
  {
    section: '6.9.1',
    name: 'a window of a stream above 2^31-1',
    send: [post(1), windowUpdate(1, 0x7fffffff)],
    expect: resetBy('FLOW_CONTROL_ERROR'),
  },
  {
    section: '6.9.2',
    name: 'a setting that makes a window too large',
    send: [post(1), windowUpdate(1, 0x7fff0000), settings([0x4, 0x7fffffff])],
    expect: endedBy('FLOW_CONTROL_ERROR', 1),
  },
  {
    section: '6.10',
    name: 'a block in three frames',
    send: [
      headers(1, END_STREAM),
      frame('CONTINUATION', 0, 1, block(...GET.slice(0, 2))),
      frame('CONTINUATION', END_HEADERS, 1, block(...GET.slice(2))),
    ],
    expect: [answered(1)],
  },
  {
    section: '6.10',
    name: 'CONTINUATION of another stream',
    send: [headers(1, END_STREAM, ...GET), frame('CONTINUATION', END_HEADERS, 3, bytes())],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.10',
    name: 'CONTINUATION without a stream',
    send: [frame('HEADERS', END_STREAM, 1, block(...GET)), continuation(0)],
    expect: endedBy('PROTOCOL_ERROR'),
  },
  {
    section: '6.10',
    name: 'CONTINUATION behind one that ended its block',
    send: [frame('HEADERS', END_STREAM, 1, block(...GET)), continuation(1), continuation(1)],
    expect: [answered(1), 'GOAWAY 1 PROTOCOL_ERROR'],
  },
  {
    section: '7',
    name: 'RST_STREAM with an unknown code',
    send: [post(1), rst(1, 0xff), ping()],
    expect: ['PING ack'],
  },
  {
    section: '7',
    name: 'GOAWAY with an unknown code',
    send: [goaway(0, 0xff)],
    expect: endedBy('NO_ERROR'),
  },
  {
    section: '6.10',
    name: 'CONTINUATION behind a block that was whole',
    send: [post(1), frame('CONTINUATION', END_HEADERS, 1, bytes())],
    expect: endedBy('PROTOCOL_ERROR', 1),
  },
  {
    section: '6.10',
    name: 'CONTINUATION behind DATA',
    send: [post(1), data(1, 0, 'x'), frame('CONTINUATION', END_HEADERS, 1, bytes())],
    expect: endedBy('PROTOCOL_ERROR', 1),
  },
];

const MESSAGES: readonly Rfc9113Case[] = [
  {
    section: '8.1',
    name: 'HEADERS behind HEADERS that end nothing',
    send: [post(1), headers(1, END_HEADERS, ['x', 'y'])],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1',
    name: 'trailers',
    send: [post(1), data(1, 0, 'x'), headers(1, END_HEADERS | END_STREAM, ['x', 'y'])],
    expect: [answered(1)],
  },
  {
    section: '8.1.1',
    name: 'less DATA than Content-Length says',
    send: [post(1, ['content-length', '2']), data(1, END_STREAM, 'x')],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1.1',
    name: 'more DATA than Content-Length says',
    send: [post(1, ['content-length', '1']), data(1, 0, 'x'), data(1, END_STREAM, 'x')],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1.1',
    name: 'no DATA where Content-Length says some',
    send: with1(['content-length', '1']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1.1',
    name: 'no DATA as Content-Length says',
    send: with1(['content-length', '0']),
    expect: [answered(1)],
  },
  {
    section: '8.1.1',
    name: 'trailers before all DATA has come',
    send: [post(1, ['content-length', '2']), data(1, 0, 'x'), headers(1, END_HEADERS | END_STREAM, ['x', 'y'])],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1.1',
    name: 'two lengths',
    send: [post(1, ['content-length', '1'], ['content-length', '1'])],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1.1',
    name: 'a length that is no number',
    send: [post(1, ['content-length', '+1'])],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  { section: '8.2.1', name: 'a name in upper case', send: with1(['X-Name', 'y']), expect: resetBy('PROTOCOL_ERROR') },
  { section: '8.2.1', name: 'an empty name', send: with1(['', 'y']), expect: resetBy('PROTOCOL_ERROR') },
  { section: '8.2.1', name: 'a name with a blank', send: with1(['x y', 'z']), expect: resetBy('PROTOCOL_ERROR') },
  { section: '8.2.1', name: 'a colon within a name', send: with1(['x:y', 'z']), expect: resetBy('PROTOCOL_ERROR') },
  {
    section: '8.2.1',
    name: 'a line break within a value',
    send: with1(['x', 'y\r\nz: 1']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  { section: '8.2.1', name: 'NUL within a value', send: with1(['x', 'y\0']), expect: resetBy('PROTOCOL_ERROR') },
  { section: '8.2.1', name: 'a blank before a value', send: with1(['x', ' y']), expect: resetBy('PROTOCOL_ERROR') },
  { section: '8.2.1', name: 'a tab behind a value', send: with1(['x', 'y\t']), expect: resetBy('PROTOCOL_ERROR') },
  {
    section: '8.2.1',
    name: 'an empty value, and bytes beyond ASCII',
    send: with1(['x', ''], ['y', 'caf\xe9']),
    expect: [answered(1)],
  },
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map((name) => ({
    section: '8.2.2',
    name,
    send: with1([name, 'x']),
    expect: resetBy('PROTOCOL_ERROR'),
  })),
  { section: '8.2.2', name: 'te: trailers', send: with1(['te', 'trailers']), expect: [answered(1)] },
  {
    section: '8.2.2',
    name: 'te: anything else',
    send: with1(['te', 'trailers, deflate']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3',
    name: 'an unknown pseudo-field',
    send: only(...GET, [':test', 'x']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3',
    name: "a response's pseudo-field",
    send: only(...GET, [':status', '200']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3',
    name: 'a pseudo-field behind another field',
    send: only(...without(':path'), ['x', 'y'], [':path', '/']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3',
    name: 'a pseudo-field in trailers',
    send: [post(1), headers(1, END_HEADERS | END_STREAM, [':method', 'GET'])],
    expect: resetBy('PROTOCOL_ERROR'),
  },
  ...[':method', ':scheme', ':path', ':authority'].flatMap((name) => [
    { section: '8.3.1', name: `without ${name}`, send: only(...without(name)), expect: resetBy('PROTOCOL_ERROR') },
    {
      section: '8.3.1',
      name: `an empty ${name}`,
      send: only(...replaced(name, '')),
      expect: resetBy('PROTOCOL_ERROR'),
    },
    {
      section: '8.3.1',
      name: `${name} twice`,
      send: only(...GET, ...GET.filter(([candidate]) => candidate === name)),
      expect: resetBy('PROTOCOL_ERROR'),
    },
  ]),
  {
    section: '8.3.1',
    name: 'Host in the place of :authority',
    send: only(...without(':authority'), ['host', 'a.example']),
    expect: [answered(1)],
  },
  { section: '8.3.1', name: 'Host that is :authority', send: with1(['host', 'A.example']), expect: [answered(1)] },
  {
    section: '8.3.1',
    name: 'Host that is not :authority',
    send: with1(['host', 'b.example']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3.1',
    name: 'Host twice',
    send: with1(['host', 'a.example'], ['host', 'a.example']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3.1',
    name: 'userinfo in :authority',
    send: only(...replaced(':authority', 'u@a.example')),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3.1',
    name: 'a path without a slash',
    send: only(...replaced(':path', 'x')),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3.1',
    name: 'a path with a blank',
    send: only(...replaced(':path', '/a b')),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3.1',
    name: 'a path with a fragment',
    send: only(...replaced(':path', '/a#b')),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  { section: '8.3.1', name: '* of GET', send: only(...replaced(':path', '*')), expect: resetBy('PROTOCOL_ERROR') },
  {
    section: '8.3.1',
    name: '* of OPTIONS',
    send: only([':method', 'OPTIONS'], [':scheme', 'http'], [':path', '*'], [':authority', 'a.example']),
    expect: [answered(1)],
  },
  {
    section: '8.3.1',
    name: 'a scheme that cannot be forwarded',
    send: only(...replaced(':scheme', 'ftp')),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.3.1',
    name: 'a method that is no token',
    send: only(...replaced(':method', 'G ET')),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.5',
    name: 'CONNECT is answered',
    send: only([':method', 'CONNECT'], [':authority', 'a.example:443']),
    expect: [answered(1)],
  },
  {
    section: '8.5',
    name: 'CONNECT with a path',
    send: only([':method', 'CONNECT'], [':authority', 'a.example:443'], [':path', '/']),
    expect: resetBy('PROTOCOL_ERROR'),
  },
  {
    section: '8.1',
    name: 'a response before the end of the request',
    send: [headers(1, END_HEADERS, ...POST.slice(1), [':method', 'CONNECT'])],
    expect: resetBy('PROTOCOL_ERROR'),
  },
];

const HPACK: readonly Rfc9113Case[] = [
  ...(
    [
      ['2.3.3', 'an index of no entry', [0xbe]],
      ['5.2', 'more padding than 7 bits', [0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x84, 0x49, 0x50, 0x9f, 0xff]],
      ['5.2', 'padding that is not all ones', [0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x83, 0x49, 0x50, 0x90]],
      [
        '5.2',
        'the end of string within a string',
        [0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x87, 0x49, 0x51, 0xff, 0xff, 0xff, 0xfa, 0x7f],
      ],
      ['5.2', 'a string that reaches over its block', [0x00, 0x05, 0x61]],
      ['6.1', 'index 0', [0x80]],
      ['6.3', 'a table larger than allowed', [0x3f, 0xe2, 0x1f]],
      ['5.1', 'an integer without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ] as const
  ).map(([section, name, values]) => ({
    section: `7541/${section}`,
    name,
    send: [
      frame(
        'HEADERS',
        END_HEADERS | END_STREAM,
        1,
        Buffer.concat([section === '6.3' ? bytes() : block(...GET), bytes(...values)]),
      ),
    ],
    expect: endedBy('COMPRESSION_ERROR'),
  })),
  {
    section: '7541/4.2',
    name: 'a size update behind a field',
    send: [frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.concat([block(...GET), bytes(0x20)]))],
    expect: endedBy('COMPRESSION_ERROR'),
  },
  {
    section: '7541/4.2',
    name: 'size updates before the first field',
    send: [
      frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.concat([bytes(0x20, 0x3f, 0xe1, 0x1f), block(...GET)])),
    ],
    expect: [answered(1)],
  },
];

export const CASES: readonly Rfc9113Case[] = [...FRAMES, ...MESSAGES, ...HPACK];
