import type { ChannelSink } from './channel.ts';

/** Lets everything pass: what one that has not much to do begins with. */
export class SilentSink implements ChannelSink {
  received(_bytes: Buffer, _length: number): void {
    // Thrown away.
  }

  peerEnded(): void {
    // Nothing was expected.
  }

  failed(_errno: string): void {
    // It closes.
  }

  closed(): void {
    // Nobody waits for it.
  }

  drained(): void {
    // Nothing was written, or nothing more will be.
  }

  broken(): void {
    // As above.
  }
}

/** Of a connection that nobody listens to yet. */
export const SILENT = new SilentSink();
