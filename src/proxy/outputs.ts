import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Output } from './output.ts';
import { SecuredOutput } from './secured-output.ts';
import { SocketOutput } from './socket-output.ts';

/**
 * @param onDrain called when everything written has left, after a write had returned false
 * @param onBroken called, perhaps more than once, when no more can be written; what the peer has sent before can still be read
 */
export function outputTo(socket: Socket, onDrain: () => void, onBroken: () => void): Output {
  const Kind = socket instanceof TLSSocket ? SecuredOutput : SocketOutput;
  return new Kind(socket as TLSSocket, onDrain, onBroken);
}
