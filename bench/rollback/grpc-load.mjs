// @ts-check
// An open loop of gRPC calls over several proxies, a connection each: so many a second, evenly spaced, whatever becomes of them.
import { connect } from 'node:http2';
import { EMPTY_MESSAGE } from './grpc-side.mjs';
import { Pacer } from './pacer.mjs';

export class GrpcLoad {
  #sessions;
  #pacer;
  path = '/';

  /**
   * @param {readonly string[]} proxies
   * @param {number} rate a second, over all of them
   */
  constructor(proxies, rate) {
    this.#sessions = proxies.map((proxy) => connect(proxy).on('error', () => {}));
    this.#pacer = new Pacer(rate, (i) => this.#send(i));
  }

  /** @param {number} i */
  #send(i) {
    const session = this.#sessions[i % this.#sessions.length];
    if (session === undefined || session.destroyed) return;
    const head = { ':method': 'POST', ':path': `${this.path}Call`, 'content-type': 'application/grpc', te: 'trailers' };
    session
      .request(head)
      .on('error', () => {})
      .resume()
      .end(EMPTY_MESSAGE);
  }

  stop() {
    this.#pacer.stop();
    for (const session of this.#sessions) session.destroy();
  }
}
