import type { HeliosSource } from '../../domain/source.ts';
import type { Resolver } from '../dns/resolver.ts';
import { HeliosMaster } from './master.ts';

const SCHEMES = ['https', 'http'] as const;

/** The masters of one Helios, of which any will do: as configured, or as the SRV records of their domain name them. */
export class HeliosMasters {
  readonly #source: HeliosSource;
  readonly #resolver: Resolver;
  readonly #clock: () => number;
  readonly #over: AbortSignal;
  readonly #known = new Map<string, HeliosMaster>();
  /** In the order in which they are tried: the one that answered last comes first. */
  #urls: readonly string[];
  #validUntilMs: number;

  /** @param over ends every request */
  constructor(source: HeliosSource, resolver: Resolver, clock: () => number, over: AbortSignal) {
    const fixed = 'urls' in source.master;
    this.#source = source;
    this.#resolver = resolver;
    this.#clock = clock;
    this.#over = over;
    this.#urls = 'urls' in source.master ? source.master.urls : [];
    this.#validUntilMs = fixed ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** What the first master that answers everything makes of it. @throws Error in one sentence when none does */
  async first<T>(ask: (master: HeliosMaster) => Promise<T>): Promise<T> {
    await this.#look();
    let failure: unknown;
    for (const url of this.#urls) {
      try {
        const answer = await ask(this.#master(url));
        this.#urls = [url, ...this.#urls.filter((other) => other !== url)];
        return answer;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #master(url: string): HeliosMaster {
    const master = this.#known.get(url) ?? new HeliosMaster(url, this.#source.tls, this.#over);
    this.#known.set(url, master);
    return master;
  }

  async #look(): Promise<void> {
    if (!('domain' in this.#source.master) || this.#clock() < this.#validUntilMs) return;
    const { domain } = this.#source.master;
    try {
      for (const scheme of SCHEMES) {
        const { records, ttlMs } = await this.#resolver.srv(`_helios._${scheme}.${domain}`);
        if (records.length === 0) continue;
        const urls = [...records]
          .sort((a, b) => a.priority - b.priority)
          .map(({ target, port }) => `${scheme}://${target.replace(/\.$/, '')}:${port}`);
        const [last] = this.#urls;
        this.#urls = urls.toSorted((a, b) => Number(b === last) - Number(a === last));
        this.#validUntilMs = this.#clock() + ttlMs;
        return;
      }
      throw new Error(`DNS knows no SRV records _helios._https.${domain} and _helios._http.${domain}`);
    } catch (error) {
      // Those that are known go on being asked.
      if (this.#urls.length === 0) throw error;
    }
  }

  close(): void {
    for (const master of this.#known.values()) master.close();
  }
}
