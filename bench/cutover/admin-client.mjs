// @ts-check
/**
 * What the load test needs to know of a route.
 * @typedef {object} Route
 * @property {number} weight percent
 * @property {number} revision
 * @property {string} state
 * @property {{ replicas: number, of: number, ms: number | null }} applied
 */

/** How long a write may wait for all workers to serve it, milliseconds. */
const WAIT_MS = 10_000;
const TIMEOUT_MS = 15_000;

/** Crossfade's admin API, as far as a ramp needs it. */
export class AdminClient {
  #route;
  #headers;

  /**
   * @param {string} admin base URL
   * @param {string} route
   * @param {string | undefined} token
   */
  constructor(admin, route, token) {
    this.#route = new URL(`/v1/routes/${encodeURIComponent(route)}`, admin);
    this.#headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  /** @returns {Promise<{ route: Route, etag: string }>} */
  async read() {
    return this.#call(this.#route, { headers: this.#headers });
  }

  /**
   * Resolves when all workers serve the weight, or after 10 s: `applied` says.
   * @param {number} weight percent
   * @param {string} etag of the revision that the change is meant for
   * @returns {Promise<{ route: Route, etag: string }>}
   */
  async setWeight(weight, etag) {
    return this.#call(new URL(`${this.#route.pathname}/weight`, this.#route), {
      method: 'PUT',
      headers: { ...this.#headers, 'if-match': etag },
      body: JSON.stringify({ weight, reason: 'load:cutover', wait: WAIT_MS }),
    });
  }

  /**
   * @param {URL} url
   * @param {RequestInit} request
   */
  async #call(url, request) {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${request.method ?? 'GET'} ${url} answered ${response.status}: ${text.trim()}`);
    return { route: JSON.parse(text), etag: response.headers.get('etag') ?? '' };
  }
}
