// @ts-check
// The two sides: servers whose new one can be told to fail, each in its own way, and that know when it first did.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** @typedef {'well' | 'errors' | 'some' | 'hung' | 'refused'} Mode */

/** Of requests that fail in mode `some`. */
export const SOME = 0.05;

export class Side {
  /** @type {Mode} */
  #mode = 'well';
  /** Of requests that fail in mode `well`. */
  share = 0;
  /** When it first answered badly, or took a request to leave it hanging, since the mode was set; performance.now(). */
  firstBadAt = Number.NaN;
  /** Requests since the mode was set. */
  requests = 0;
  port = 0;
  #server = this.#makeServer();

  #makeServer() {
    const server = createServer((request, response) => {
      request.resume();
      this.#answer(response);
    });
    server.keepAliveTimeout = 60_000;
    return server;
  }

  /** @param {import('node:http').ServerResponse} response */
  #answer(response) {
    this.requests += 1;
    if (this.#mode === 'hung') this.#noteBad();
    else if (this.#mode === 'errors' || Math.random() < (this.#mode === 'some' ? SOME : this.share)) {
      this.#noteBad();
      response.writeHead(500).end('bad');
    } else response.end('well');
  }

  #noteBad() {
    if (Number.isNaN(this.firstBadAt)) this.firstBadAt = performance.now();
  }

  async listen(port = 0) {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.port = address.port;
  }

  /** @param {Mode} mode */
  async set(mode) {
    this.firstBadAt = Number.NaN;
    this.requests = 0;
    const wasRefused = this.#mode === 'refused';
    const wasHung = this.#mode === 'hung';
    this.#mode = mode;
    if (mode === 'refused') {
      this.firstBadAt = performance.now();
      this.close();
    } else if (wasHung) this.#server.closeAllConnections();
    else if (wasRefused) {
      this.#server = this.#makeServer();
      await this.listen(this.port);
    }
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
