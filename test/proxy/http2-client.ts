/** A client of HTTP/2 that is none of ours: node:http2, one connection, everything that happens to a stream in its order. */
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import { onTestFinished } from 'vitest';
import { until } from './harness.ts';

export interface Answer {
  readonly status: number;
  readonly head: Record<string, string>;
  readonly body: string;
  readonly trailers: Record<string, string>;
  /** Statuses of interim responses. */
  readonly interim: number[];
  /** Code of the RST_STREAM that ended it; 0: it ended well. */
  readonly reset: number;
}

export class Http2Client {
  readonly session: ClientHttp2Session;
  goaways = 0;
  closed = false;

  constructor(url: string, options: object = {}) {
    this.session = connect(url, options);
    this.session.on('error', () => undefined);
    this.session.on('goaway', () => this.goaways++);
    this.session.on('close', () => {
      this.closed = true;
    });
    onTestFinished(() => this.session.destroy());
  }

  open(headers: OutgoingHttpHeaders, endStream = true): Call {
    return new Call(this.session, headers, endStream);
  }

  ask(headers: OutgoingHttpHeaders): Promise<Answer> {
    return this.open(headers).answer();
  }
}

export class Call {
  readonly stream;
  body = '';
  status = 0;
  reset = -1;
  readonly interim: number[] = [];
  head: Record<string, string> = {};
  trailers: Record<string, string> = {};

  constructor(session: ClientHttp2Session, headers: OutgoingHttpHeaders, endStream: boolean) {
    const stream = session.request({ ':authority': 'shop.example', ...headers }, { endStream, waitForTrailers: false });
    this.stream = stream;
    stream.setEncoding('latin1');
    stream.on('headers', (head) => this.interim.push(Number(head[':status'])));
    stream.on('response', (head) => {
      this.status = Number(head[':status']);
      this.head = { ...head } as unknown as Record<string, string>;
    });
    stream.on('trailers', (trailers) => {
      this.trailers = { ...trailers } as Record<string, string>;
    });
    stream.on('data', (text: string) => {
      this.body += text;
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.reset = stream.rstCode;
    });
  }

  async answer(): Promise<Answer> {
    await until(
      `the end of the stream, after ${this.status} "${this.body.slice(0, 200)}"`,
      () => this.reset !== -1,
      8000,
    );
    const { status, head, body, trailers, interim, reset } = this;
    return { status, head, body, trailers, interim, reset };
  }
}

export const { NGHTTP2_CANCEL: CANCEL, NGHTTP2_INTERNAL_ERROR: INTERNAL_ERROR } = constants;
