/** The side that a request is given to, and why: an operator asked for it, its sticky key says so, or it was drawn. One an exchange. */
import { OLD, type RouteSpec, type SideIndex } from '../domain/route.ts';
import { NO_KEY } from '../domain/sighting.ts';
import { bucketOfHash, drawSide, murmur3, sideOfBucket } from '../domain/split.ts';
import type { SideReason } from './access-entry.ts';
import { type AddedFields, NOTHING_ADDED } from './added-fields.ts';
import type { InboundHalf, RequestView } from './halves.ts';
import type { Runtime, Serving } from './runtime.ts';
import { stickyKey } from './sticky.ts';

export class Assignment {
  side: SideIndex = OLD;
  /** An operator asked for the side: no other will do. */
  isOverridden = false;
  /** Of the sticky key that the side follows from. */
  keyHash = NO_KEY;
  /** For the response: a sticky cookie that was made. */
  added: AddedFields = NOTHING_ADDED;
  readonly #runtime: Runtime;
  readonly #inbound: InboundHalf;

  constructor(runtime: Runtime, inbound: InboundHalf) {
    this.#runtime = runtime;
    this.#inbound = inbound;
  }

  get reason(): SideReason {
    if (this.isOverridden) return 'override';
    return this.keyHash === NO_KEY ? 'weight' : 'key';
  }

  override(side: SideIndex): void {
    this.isOverridden = true;
    this.keyHash = NO_KEY;
    this.added = NOTHING_ADDED;
    this.side = side;
  }

  /** @param index of the route */
  draw(request: RequestView, serving: Serving, index: number): void {
    this.isOverridden = false;
    this.keyHash = NO_KEY;
    this.added = NOTHING_ADDED;
    this.side = this.#drawn(request, serving, index);
  }

  #drawn(request: RequestView, { snapshot, trusted }: Serving, index: number): SideIndex {
    const weightPpm = snapshot.weightsPpm[index] as number;
    const { sticky } = snapshot.routes[index] as RouteSpec;
    if (sticky.length > 0) {
      const { key, added } = stickyKey(sticky, request, this.#inbound.peer, trusted, this.#runtime.randomId);
      this.added = added;
      if (key !== undefined) {
        this.keyHash = murmur3((snapshot.saltPrefixes[index] as string) + key);
        return sideOfBucket(bucketOfHash(this.keyHash), weightPpm);
      }
    }
    return drawSide(this.#runtime.random(), weightPpm);
  }
}
