import type { Server } from 'node:net';
import type { Channel } from './channel.ts';
import { SILENT } from './silent-sink.ts';
import { binding, type TcpHandle } from './stream-binding.ts';
import { TcpChannel } from './tcp-channel.ts';

/** A listening one, as node:net and node:cluster have it. */
interface ListeningHandle {
  onconnection: (error: number, handle: TcpHandle<TcpChannel> | undefined) => void;
}

/**
 * What the server accepts becomes no sockets but channels, which nobody listens to yet. Where there are no handles to be had nothing changes: it goes on
 * with 'connection'.
 * @param onAccepted told the peer's address, too
 */
export function acceptByHandle(server: Server, onAccepted: (channel: Channel, address: string) => void): void {
  if (binding === null) return;
  server.on('listening', () => {
    const { _handle: listening } = server as unknown as { _handle: ListeningHandle | null };
    if (listening === null) return;
    listening.onconnection = (error, handle) => {
      // Running out of descriptors (EMFILE) is no reason to end what is served already.
      if (error !== 0 || handle === undefined) return;
      const channel = new TcpChannel(SILENT, true);
      channel.adopt(handle);
      const peer: { address?: string } = {};
      if (handle.getpeername(peer) === 0 && peer.address !== undefined) onAccepted(channel, peer.address);
      // It has gone already.
      else channel.destroy();
    };
  });
}
