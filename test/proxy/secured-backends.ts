/** Backends of Node's own over TLS, which say how they were asked, and whose port another can take over. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from 'node:http2';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { until } from './harness.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
export const certificate = fixture('localhost.crt');
export const key = fixture('localhost.key');

export interface SecuredBackend {
  readonly port: number;
  /** Connections that were secured, who made them and by which name they ask, and the versions of HTTP that requests came in. */
  readonly seen: { connections: number; readonly clients: string[]; readonly versions: string[] };
  /** Takes no connections any more, and breaks those that are there. */
  stop(): Promise<void>;
  /** Takes no connections any more, and finishes what it was asked. */
  drain(): Promise<void>;
}

/** What it takes part in: HTTP/2 alone, both (the client's choice being HTTP/2), or HTTP/1.1 alone. */
export type Spoken = 'h2' | 'both' | 'http1';

/** Answers with the version, the method and the body that it was asked with. @param port to take over; 0: a free one */
export async function securedBackend(spoken: Spoken, port = 0, options: object = {}): Promise<SecuredBackend> {
  const seen = { connections: 0, clients: [] as string[], versions: [] as string[] };
  const sockets = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  const answer = async (request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> => {
    seen.versions.push(request.httpVersion);
    const body = await buffer(request);
    response.end(`${request.httpVersion} ${request.method} ${body.length}`);
  };
  const onRequest = (request: Http2ServerRequest, response: Http2ServerResponse): void =>
    void answer(request, response).catch(() => undefined);
  const secured = { cert: certificate, key, ...options };
  const server =
    spoken === 'http1'
      ? createHttpsServer(secured, onRequest as never)
      : createSecureServer({ ...secured, allowHTTP1: spoken === 'both' }, onRequest);
  server.on('secureConnection', (socket: TLSSocket) => {
    seen.connections++;
    const asked = socket as TLSSocket & { servername?: string | false };
    seen.clients.push(`${String(socket.getPeerCertificate().subject?.CN)} asks for ${asked.servername}`);
    sockets.add(socket.on('error', () => undefined));
  });
  server.on('tlsClientError', () => undefined);
  server.on('sessionError', () => undefined);
  server.on('session', (session: Http2Session) => sessions.add(session));
  server.on('upgrade', (_request: unknown, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const drain = async (): Promise<void> => {
    let isOver = false;
    server.close(() => (isOver = true));
    for (const session of sessions) session.close();
    await until('the end of its connections', () => {
      if (spoken === 'http1') (server as HttpsServer).closeIdleConnections();
      return isOver;
    });
  };
  onTestFinished(stop);
  return { port: (server.address() as AddressInfo).port, seen, stop, drain };
}
