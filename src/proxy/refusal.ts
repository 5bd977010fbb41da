import type { Channel } from './channel.ts';
import { http1Error } from './respond-error.ts';
import { SilentSink } from './silent-sink.ts';

/** How long a refused client may go on sending, so that a reset does not eat its answer. */
const REFUSED_MS = 1_000;

class Refusal extends SilentSink {
  readonly #timer: NodeJS.Timeout;

  constructor(channel: Channel) {
    super();
    this.#timer = setTimeout(() => channel.destroy(), REFUSED_MS);
  }

  override closed(): void {
    clearTimeout(this.#timer);
  }
}

/** Says that there are too many connections, throws away what comes and closes when the client does or its time is over. */
export function refuse(channel: Channel): void {
  channel.sink = new Refusal(channel);
  channel.output.text(http1Error('tooManyConnections', true, false, null));
  channel.output.end();
}
