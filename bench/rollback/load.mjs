// @ts-check
// An open loop over several proxies: so many requests a second, evenly spaced, whatever becomes of them.
import { Agent, request } from 'node:http';
import { Pacer } from './pacer.mjs';

export class Load {
  #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  #pacer;
  path = '/';
  /** Since it was last set to 0. */
  sent = 0;
  failed = 0;

  /**
   * @param {readonly string[]} proxies
   * @param {number} rate a second, over all of them
   */
  constructor(proxies, rate) {
    this.#pacer = new Pacer(rate, (i) => this.#send(proxies[i % proxies.length] ?? ''));
  }

  /** @param {string} proxy */
  #send(proxy) {
    this.sent += 1;
    const fail = () => {
      this.failed += 1;
    };
    request(
      `${proxy}${this.path}`,
      { agent: this.#agent, headers: { 'x-user': String(Math.random()) } },
      (response) => {
        response.resume();
        if ((response.statusCode ?? 0) >= 500) fail();
      },
    )
      .on('error', fail)
      .end();
  }

  stop() {
    this.#pacer.stop();
    this.#agent.destroy();
  }
}
