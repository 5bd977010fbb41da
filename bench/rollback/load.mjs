// @ts-check
// An open loop over several proxies: so many requests a second, evenly spaced, whatever becomes of them.
import { Agent, request } from 'node:http';

const TICK_MS = 5;

export class Load {
  #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  /** @type {readonly string[]} */
  #proxies;
  #rate;
  #startedAt = performance.now();
  #sent = 0;
  #timer;
  path = '/';
  /** Since it was last set to 0. */
  sent = 0;
  failed = 0;

  /**
   * @param {readonly string[]} proxies
   * @param {number} rate a second, over all of them
   */
  constructor(proxies, rate) {
    this.#proxies = proxies;
    this.#rate = rate;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick() {
    const due = Math.floor(((performance.now() - this.#startedAt) * this.#rate) / 1000);
    for (; this.#sent < due; this.#sent++) this.#send(this.#proxies[this.#sent % this.#proxies.length] ?? '');
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
    clearInterval(this.#timer);
    this.#agent.destroy();
  }
}
