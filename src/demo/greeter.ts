/** The sample backend of gRPC, `config/greeter.proto`: it greets with its side. Small enough that the wire format is written by hand. */
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';

const METHOD = '/crossfade.demo.v1.Greeter/Say';
const OK = '0';
const UNIMPLEMENTED = '12';

/** Not compressed, then the length (gRPC over HTTP/2). */
const PREFIX_BYTES = 5;
/** Field 1, length-delimited: of both messages the only one. */
const FIELD = 0x0a;
/** So that the length of a greeting fits into one byte. */
const LONGEST_NAME = 64;
const MOST_BYTES = 1024;

/** @param side what it says of itself */
export function createGreeter(side: string): Http2Server {
  const server = createServer();
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    // The client left.
    stream.on('error', () => {});
    if (headers[':path'] === METHOD) read(stream, (name) => greet(stream, name, side));
    else stream.respond({ ...HEAD, 'grpc-status': UNIMPLEMENTED }, { endStream: true });
  });
  return server;
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

function read(stream: ServerHttp2Stream, onName: (name: string) => void): void {
  let body = Buffer.alloc(0);
  stream.on('data', (bytes: Buffer) => {
    if (body.length < MOST_BYTES) body = Buffer.concat([body, bytes]);
  });
  stream.on('end', () => onName(nameOf(body)));
}

/** '' when there is none, or one too long. */
function nameOf(body: Buffer): string {
  const [tag, length = 0] = body.subarray(PREFIX_BYTES);
  const start = PREFIX_BYTES + 2;
  return tag === FIELD && length <= LONGEST_NAME ? body.toString('utf8', start, start + length) : '';
}

function greet(stream: ServerHttp2Stream, name: string, side: string): void {
  const greeting = Buffer.from(`hello${name === '' ? '' : `, ${name},`} from ${side}\n`);
  const message = Buffer.from([0, 0, 0, 0, greeting.length + 2, FIELD, greeting.length]);
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': OK }));
  stream.end(Buffer.concat([message, greeting]));
}
