/**
 * The connections of a replica to its Redis: one for commands, one for hints. Neither is trusted to notice by itself that the other end
 * has frozen: a command that is not answered in time, or an echo that does not come back, makes a new one.
 */
import { Cluster } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';
import { placeOf } from './redis-address.ts';
import { connectRedis, type RedisClient } from './redis-client.ts';
import { type RedisScript, runScript } from './redis-script.ts';
import { StoreUnavailable } from './store.ts';

/** For a command, connecting included. */
const ANSWER_MS = 1_000;
/** For a connection to become usable before another is tried. */
const CONNECTED_MS = 3_000;
/** Between two echoes, and for one to come back. */
const ECHO_EVERY_MS = 900;
const ECHO_MS = 2_000;

/** A command had no answer, or Redis refused it. */
export class NoAnswer extends StoreUnavailable {
  /** It may have reached the server and may have been carried out. */
  readonly sent: boolean;
  /** Redis may take it in a moment: it is starting, or its roles are changing. */
  readonly passing: boolean;

  constructor(message: string, fate: { sent: boolean; passing: boolean }, cause?: unknown) {
    super(message, { cause });
    this.sent = fate.sent;
    this.passing = fate.passing;
  }
}

const SILENT = 'no answer in time';

/** Refusals that end by themselves. */
const PASSING = /^(?:READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|UNBLOCKED)\b/;

export interface RedisLinkOptions {
  /** All keys and channels begin with it; it holds one hash tag, so that a cluster keeps them together. */
  readonly prefix: string;
  /** Names this link among those of all replicas. */
  readonly id: string;
  /** Something was said on the channel `hints`; `state` also when hints may have been missed. */
  readonly onHint: (hint: string) => void;
}

export class RedisLink {
  readonly place: string;
  readonly #address: RedisAddress;
  readonly #options: RedisLinkOptions;
  #commands: RedisClient;
  #commandsSince = performance.now();
  #hints: RedisClient;
  #lastError = 'not connected yet';
  #echoSentAt = Number.NEGATIVE_INFINITY;
  #echoed = true;
  #closed = false;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(address: RedisAddress, options: RedisLinkOptions) {
    this.place = placeOf(address);
    this.#address = address;
    this.#options = options;
    this.#commands = this.#connectCommands();
    this.#hints = this.#connectHints();
  }

  key(name: string): string {
    return `${this.#options.prefix}${name}`;
  }

  get channel(): string {
    return this.key('hints');
  }

  run(script: RedisScript, keys: readonly string[], args: readonly string[], withinMs = ANSWER_MS): Promise<unknown> {
    const names = keys.map((name) => this.key(name));
    return this.ask((client) => runScript(client, script, names, args), withinMs);
  }

  /** Rejects with NoAnswer. */
  async ask<T>(command: (client: RedisClient) => Promise<T>, withinMs = ANSWER_MS): Promise<T> {
    const answer = this.#ask(command, performance.now() + withinMs);
    this.#underWay.add(answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  async #ask<T>(command: (client: RedisClient) => Promise<T>, deadline: number): Promise<T> {
    const client = await this.#readyClient(deadline);
    try {
      const answer = await within(command(client), deadline - performance.now());
      this.#echo();
      return answer;
    } catch (error) {
      const { name, message } = error as Error;
      const refused = name === 'ReplyError';
      // Anything else leaves the connection in doubt.
      if (!refused && client === this.#commands) this.#renewCommands();
      throw this.#noAnswer(message, { sent: !refused, passing: !refused || PASSING.test(message) }, error);
    }
  }

  async #readyClient(deadline: number): Promise<RedisClient> {
    while (this.#commands.status !== 'ready') {
      if (this.#closed) throw this.#noAnswer('closed', { sent: false, passing: false });
      if (performance.now() >= deadline) throw this.#noAnswer(this.#lastError, { sent: false, passing: true });
      if (performance.now() - this.#commandsSince > CONNECTED_MS) this.#renewCommands();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.#commands;
  }

  /** How many replicas have everything that this link has written to the node of a key, after `ms` at most. */
  waitForReplicas(key: string, replicas: number, ms: number): Promise<number> {
    return this.ask(async (client) => {
      if (!(client instanceof Cluster)) return client.wait(replicas, ms);
      const slot = await client.cluster('KEYSLOT', key);
      const [node = ''] = client.slots[slot] ?? [];
      const primary = client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === node);
      if (primary === undefined) throw new Error(`no node is known for slot ${slot}`);
      return primary.wait(replicas, ms);
    }, ms + ANSWER_MS);
  }

  #noAnswer(message: string, fate: { sent: boolean; passing: boolean }, cause?: unknown): NoAnswer {
    return new NoAnswer(`${this.place}: ${message}`, fate, cause);
  }

  #connectCommands(): RedisClient {
    const client = this.#connect();
    // Somebody may have written while it was away.
    client.on('ready', () => this.#options.onHint('state'));
    return client;
  }

  #connectHints(): RedisClient {
    const client = this.#connect();
    const echoes = this.#echoChannel;
    client.on('ready', () => {
      client.subscribe(this.channel, echoes).then(
        () => this.#options.onHint('state'),
        () => {},
      );
    });
    client.on('message', (channel: string, message: string) => {
      if (channel === echoes) this.#echoed = true;
      else this.#options.onHint(message);
    });
    return client;
  }

  get #echoChannel(): string {
    return this.key(`echo:${this.#options.id}`);
  }

  #connect(): RedisClient {
    const client = connectRedis(this.#address, ({ message }) => {
      this.#lastError = message === '' ? this.#lastError : message;
    });
    // Whatever it was is over: a server that freezes now says nothing at all.
    client.on('ready', () => {
      this.#lastError = SILENT;
    });
    return client;
  }

  #renewCommands(): void {
    if (this.#closed) return;
    this.#commands.disconnect();
    this.#commands = this.#connectCommands();
    this.#commandsSince = performance.now();
  }

  /** Proves that hints arrive: what is published must come back. */
  #echo(): void {
    const now = performance.now();
    if (this.#closed || now - this.#echoSentAt < (this.#echoed ? ECHO_EVERY_MS : ECHO_MS)) return;
    if (!this.#echoed) {
      this.#hints.disconnect();
      this.#hints = this.#connectHints();
    }
    this.#echoed = false;
    this.#echoSentAt = now;
    // Unanswered it is as good as unheard.
    this.#commands.publish(this.#echoChannel, '').catch(() => {});
  }

  /** Lets what is under way end, one way or the other. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    this.#commands.disconnect();
    this.#hints.disconnect();
  }
}

function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(SILENT)), Math.max(ms, 0));
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
