/**
 * Tells others over HTTP of what this replica has written; whoever wrote a change tells it, so that each is told once. Nothing waits for it: a
 * hook that does not answer is tried again a few times with a growing pause, and given up with an event.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEntry } from '../domain/state.ts';
import { entryView } from './entry-view.ts';
import type { NewEvent } from './events.ts';

export interface Webhook {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** Signs the body: `x-crossfade-signature: sha256=HEX`. */
  readonly secret?: string | undefined;
}

export type WebhookEvent = 'rollback' | 'held' | 'ramp' | 'step' | 'completed' | 'resume';

/** Pauses in milliseconds before each further try. */
const PAUSES_MS: readonly number[] = [500, 2_000, 8_000, 30_000];
const TIMEOUT_MS = 5_000;
/** Deliveries under way; more than these are not begun. */
const MOST = 1_000;

export interface WebhooksOptions {
  readonly fleet: string;
  readonly hooks: () => readonly Webhook[];
  readonly emit: (event: NewEvent) => void;
  readonly pausesMs?: readonly number[];
}

export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #closing = new AbortController();
  readonly #sending = new Set<Promise<void>>();

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  tell(entry: AuditEntry): void {
    const kinds = eventsOf(entry);
    for (const hook of this.#options.hooks()) {
      const event = kinds.find((kind) => hook.events.includes(kind));
      if (event === undefined) continue;
      if (this.#sending.size >= MOST) {
        this.#giveUp(hook, `${MOST} deliveries are under way already`);
        continue;
      }
      const body = JSON.stringify({ event, fleet: this.#options.fleet, ...entryView(entry) });
      const sending = this.#deliver(hook, event, body).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    }
  }

  async #deliver(hook: Webhook, event: WebhookEvent, body: string): Promise<void> {
    const { signal } = this.#closing;
    let failure = '';
    for (const pauseMs of [0, ...(this.#options.pausesMs ?? PAUSES_MS)]) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const answer = await post(hook, event, body, signal);
      if (answer === null) return;
      failure = answer;
    }
    this.#giveUp(hook, failure);
  }

  #giveUp({ url }: Webhook, detail: string): void {
    // The path of a URL is often a secret.
    this.#options.emit({ type: 'webhook', url: new URL(url).origin, ok: false, detail });
  }

  /** What is under way is left undone. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#sending);
  }
}

/** Null: it was taken; else why not. */
async function post(hook: Webhook, event: WebhookEvent, body: string, closing: AbortSignal): Promise<string | null> {
  const signature =
    hook.secret === undefined
      ? {}
      : { 'x-crossfade-signature': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}` };
  try {
    const response = await fetch(hook.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-crossfade-event': event, ...signature },
      body,
      redirect: 'error',
      signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    const { cause, message } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}

/** What a change is to whoever listens. */
function eventsOf({ verb, routes }: AuditEntry): WebhookEvent[] {
  const events: WebhookEvent[] = [];
  if (verb === 'hold') events.push('held');
  if (routes.some(({ before, after }) => after.cutover === 'completed' && before?.cutover !== 'completed')) {
    events.push('completed');
  }
  if (verb === 'rollback' || verb === 'ramp' || verb === 'step' || verb === 'resume') events.push(verb);
  return events;
}
