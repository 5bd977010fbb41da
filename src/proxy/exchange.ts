/**
 * One request's life: match → assign → forward → observe. Stands between an inbound half and an outbound half and is told by both. One a
 * client connection or stream, begun anew for each request, so that a request makes no object of its own here.
 */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import { OUTCOME_CANCELLED, OUTCOME_FAULT, type OutcomeIndex } from '../domain/outcome.ts';
import { NEW, OLD, type RouteSpec, SIDES, type SideIndex } from '../domain/route.ts';
import { NO_KEY } from '../domain/sighting.ts';
import { bucketOfHash, drawSide, murmur3, sideOfBucket } from '../domain/split.ts';
import type { Fields } from '../fields.ts';
import { NO_BODY } from '../http1/framing.ts';
import { AccessEntry, type SideReason } from './access-entry.ts';
import { AddedFields, NOTHING_ADDED } from './added-fields.ts';
import { chooseEndpoint, DOWN } from './choice.ts';
import { grpcStatus } from './grpc.ts';
import { GrpcCall } from './grpc-call.ts';
import { GrpcHealth, isHealthCall, namesHealth } from './grpc-health.ts';
import type { InboundHalf, OutboundHalf, RequestView, ResponseView } from './halves.ts';
import { KeptBody } from './kept-body.ts';
import { Observation } from './observation.ts';
import { overrideSide } from './override.ts';
import type { Pending, PendingQueue } from './pending-queue.ts';
import type { Pool } from './pool.ts';
import { Progress } from './progress.ts';
import { countRejection } from './rejections.ts';
import type { RescueBudget } from './rescue-budget.ts';
import { routeOf } from './routing.ts';
import type { Runtime, Serving } from './runtime.ts';
import { stickyKey } from './sticky.ts';
import { trailersWithout } from './trailers.ts';
import type { Tunnel } from './tunnel.ts';

/** Methods whose repetition has the effect of one (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Of routeOf. */
const NO_ROUTE = -1;
/** Of gRPC (grpc.io, statuscodes). */
const UNAVAILABLE = 14;
/** Attempts of one request on its own side, the first included, but for those that a reused connection cost; one more goes to the other side. */
const MAX_ATTEMPTS = 2;

export class Exchange implements Pending {
  readonly #runtime: Runtime;
  readonly #inbound: InboundHalf;
  readonly #observation: Observation;
  #serving: Serving;
  #request: RequestView | null = null;
  #route: RouteSpec | null = null;
  #outbound: OutboundHalf | null = null;
  /** Where the attempt under way is counted. */
  #pool: Pool | null = null;
  #lastPool: Pool | null = null;
  /** Index of the route. */
  #row = 0;
  #side: SideIndex = OLD;
  /** An operator asked for the side: no other will do. */
  #isOverridden = false;
  /** The other side has been asked instead. */
  #hasTurned = false;
  /** The response says so. */
  #isRescued = false;
  /** Of the request that is under way, as long as another backend may have to be given it. */
  readonly kept = new KeptBody();
  /** Of the sticky key that the side follows from. */
  #keyHash = NO_KEY;
  #attempts = 0;
  #droppedNames: readonly string[] | null = null;
  /** Names that the response's Connection field gives to its own hop. */
  #responseNominated: readonly string[] | null = null;
  /** What the proxy adds to the response. */
  #added: AddedFields = NOTHING_ADDED;
  #status = 0;
  #requestTrailers: Fields | null = null;
  readonly #call = new GrpcCall();
  readonly #progress = new Progress();
  /** Null: the access log is off. */
  #entry: AccessEntry | null = null;
  /** In which it waits for a connection; null: it does not. */
  #queue: PendingQueue | null = null;
  #queuedUntilMs = 0;

  constructor(runtime: Runtime, inbound: InboundHalf) {
    this.#runtime = runtime;
    this.#inbound = inbound;
    this.#serving = runtime.serving;
    this.#observation = new Observation(inbound.protocol);
  }

  /** Whether a request is under way. */
  get isOpen(): boolean {
    return this.#request !== null;
  }

  /** Whether a head has been given to the client's half. */
  get hasResponded(): boolean {
    return this.#progress.responseStarted;
  }

  /** Content type of the gRPC call that is under way; null: it is none. */
  get grpcType(): string | null {
    return this.#call.type;
  }

  /** Whether only HTTP/2 can carry the answer: a gRPC call's, but for gRPC-Web. */
  get needsHttp2(): boolean {
    return this.#call.needsTrailers;
  }

  /** Whether the client would rather go on with another protocol than HTTP/1.1. */
  get wantsUpgrade(): boolean {
    return (this.#request as RequestView).connection.upgrade;
  }

  begin(request: RequestView): void {
    const runtime = this.#runtime;
    const serving = runtime.serving;
    this.#serving = serving;
    this.#request = request;
    this.#outbound = null;
    this.#lastPool = null;
    this.#requestTrailers = null;
    this.#attempts = 0;
    this.#droppedNames = request.connection.nominated;
    this.#added = NOTHING_ADDED;
    this.#status = 0;
    this.#hasTurned = false;
    this.#isRescued = false;
    this.kept.begin();
    this.#progress.begin(runtime.nowMs);
    this.#call.begin(request);
    this.#entry = runtime.accessLog === null ? null : new AccessEntry(runtime.accessLog, runtime.clock());
    if (this.#call.type !== null && isHealthCall(request.target) && !this.#isHealthRouted(serving, request)) {
      this.#observation.beginUnrouted(serving.counts);
      // There is nobody else to ask.
      this.kept.lose();
      this.#outbound = new GrpcHealth(runtime, this);
      this.#outbound.sendHead(request, NOTHING_ADDED, null);
      return;
    }
    const index = runtime.pressure === 'critical' ? NO_ROUTE : routeOf(serving.snapshot, request);
    if (index === NO_ROUTE) {
      this.#observation.beginUnrouted(serving.counts);
      this.#answer(runtime.pressure === 'critical' ? 'memoryExhausted' : 'noRoute');
      return;
    }
    const route = serving.snapshot.routes[index] as RouteSpec;
    this.#route = route;
    this.#row = index;
    (serving.budgets[index] as RescueBudget).requests++;
    const nowMs = runtime.clock();
    const { totalMs } = route.timeouts;
    if (totalMs > 0) this.#progress.totalDeadlineMs = nowMs + totalMs;
    if (this.#call.type !== null) this.#call.startDeadline(request, nowMs);
    const overridden = this.#override(request, serving);
    this.#isOverridden = overridden !== undefined;
    this.#side = overridden ?? this.#assign(request, serving, index, route);
    this.#observation.begin(serving.counts, index, this.#side, nowMs);
    if (overridden === undefined) {
      this.#observation.judge(serving.counts.tallies, serving.snapshot.eras[index] as number, this.#keyHash);
    }
    this.#forward(false);
  }

  /** The side that an operator's header asks for; the header itself never reaches a backend. */
  #override(request: RequestView, serving: Serving): SideIndex | undefined {
    const override = serving.override;
    if (override === null) return undefined;
    const value = request.fields.get(override.name);
    if (value === undefined) return undefined;
    this.#droppedNames = [...(this.#droppedNames ?? []), override.name];
    return overrideSide(value, override);
  }

  #assign(request: RequestView, serving: Serving, index: number, route: RouteSpec): SideIndex {
    const { snapshot, trusted } = serving;
    const weightPpm = snapshot.weightsPpm[index] as number;
    this.#keyHash = NO_KEY;
    if (route.sticky.length > 0) {
      const runtime = this.#runtime;
      const { key, added } = stickyKey(route.sticky, request, this.#inbound.peer, trusted, runtime.randomId);
      this.#added = added;
      if (key !== undefined) {
        this.#keyHash = murmur3((snapshot.saltPrefixes[index] as string) + key);
        return sideOfBucket(bucketOfHash(this.#keyHash), weightPpm);
      }
    }
    return drawSide(this.#runtime.random(), weightPpm);
  }

  /** One attempt: an endpoint of the side, a connection to it, the head. */
  #forward(fresh: boolean): void {
    const pools = this.#pools;
    let pool = chooseEndpoint(pools, this.#runtime.random, this.#lastPool);
    this.#attempts++;
    if (pool === null) {
      this.#attemptFailed('noEndpoint');
      return;
    }
    if ((pool.caution & DOWN) !== 0 && !this.#hasTurned && this.#mayTurn()) {
      // Known to be down, with all others of its side: the request need not find it out.
      this.#observation.fault(pool.doubt.lastFailure);
      this.#entry?.failed(pool.doubt.lastFailure);
      this.#observation.attempt(OUTCOME_FAULT, this.#runtime.clock());
      this.#turn(pool.doubt.lastFailure);
      return;
    }
    if ((pool.caution & DOWN) !== 0) pool = this.#ejected() ?? pool;
    const queue = pool.pending;
    // Who came before is served before.
    const isTurn = queue === null || queue.isEmpty;
    if (!isTurn || !this.#askAny(pools, pool, fresh, this.#attempts > 1)) this.#wait(queue);
  }

  /** An endpoint of the side that was ejected for its faults and is not known to be down: it may be well by now, and is the last resort. */
  #ejected(): Pool | null {
    const route = this.#route as RouteSpec;
    const pools = this.#serving.pools[this.#side === NEW ? route.new : route.old] as readonly Pool[];
    return pools.find((pool) => pool !== this.#lastPool && (pool.caution & DOWN) === 0) ?? null;
  }

  /** Endpoints of the side that is asked. */
  get #pools(): readonly Pool[] {
    const route = this.#route as RouteSpec;
    return this.#serving.usable[this.#side === NEW ? route.new : route.old] as readonly Pool[];
  }

  /** The endpoint chosen, or another when all of its connections are taken. False: there is none to be had. */
  #askAny(pools: readonly Pool[], chosen: Pool, fresh: boolean, isPaused: boolean): boolean {
    if (this.#ask(chosen, fresh, isPaused)) return true;
    for (const pool of pools) {
      if (pool !== chosen && (pool.caution & DOWN) === 0 && this.#ask(pool, fresh, isPaused)) return true;
    }
    return false;
  }

  /** Until a connection comes free. Nothing is asked of the client meanwhile. */
  #wait(queue: PendingQueue | null): void {
    if (queue === null || !queue.join(this)) {
      this.#answer('poolExhausted');
      return;
    }
    this.#queue = queue;
    this.#queuedUntilMs = this.#runtime.clock() + queue.waitMs;
    this.#observation.connecting();
    if (this.#progress.requestEnded || (this.#request as RequestView).bodyLength === NO_BODY) return;
    this.#progress.awaitsConnect = true;
    this.#inbound.pauseRequest();
  }

  onTurn(): boolean {
    const queue = this.#queue;
    const pools = this.#pools;
    const chosen = chooseEndpoint(pools, this.#runtime.random, this.#lastPool) as Pool;
    if (!this.#askAny(pools, chosen, false, true)) return false;
    this.#queue = null;
    queue?.leave(this);
    return true;
  }

  /** @param isPaused the body may wait for a connection, one that has come to nothing or was not to be had. False: none is to be had now */
  #ask(pool: Pool, fresh: boolean, isPaused: boolean): boolean {
    const request = this.#request as RequestView;
    const outbound = pool.acquire(this, (this.#route as RouteSpec).timeouts, fresh);
    if (outbound === 'poolExhausted') return false;
    pool.inflight++;
    if (!outbound.isConnected) this.#observation.connecting();
    else if (this.#queue !== null) this.#observation.connected(this.#runtime.clock());
    this.#pool = pool;
    this.#outbound = outbound;
    const forwarding = this.#inbound.forwarding.of(request);
    if (!this.#call.hasDeadline) outbound.sendHead(request, forwarding, this.#droppedNames);
    else this.#call.sendHead(outbound, request, forwarding, this.#droppedNames, this.#runtime.clock());
    this.#progress.requestBlocked = !this.kept.sendTo(outbound);
    this.#progress.awaitsConnect = false;
    if (this.#progress.requestEnded) {
      this.#progress.responseActiveMs = this.#runtime.nowMs;
      outbound.sendEnd(this.#requestTrailers);
    } else if (!outbound.isConnected && request.bodyLength !== NO_BODY) {
      this.#progress.awaitsConnect = true;
      this.#inbound.pauseRequest();
    } else if (isPaused && !this.#progress.requestBlocked) {
      this.#progress.requestActiveMs = this.#runtime.nowMs;
      this.#inbound.resumeRequest();
    }
    return true;
  }

  /** Whether a route asks for the health service by name: then its backends answer. */
  #isHealthRouted(serving: Serving, request: RequestView): boolean {
    const index = routeOf(serving.snapshot, request);
    return index !== -1 && namesHealth((serving.snapshot.routes[index] as RouteSpec).match);
  }

  // From the client's half.

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    this.#progress.requestActiveMs = this.#runtime.nowMs;
    if (!this.kept.isLost) this.#keep(bytes, start, end);
    if (this.#outbound?.sendBody(bytes, start, end) !== false) return;
    this.#progress.requestBlocked = true;
    this.#inbound.pauseRequest();
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const { bodyBytes } = (this.#route as RouteSpec).rescue;
    const isOfUse = this.#isRepeatable || this.#outbound?.mayDecline === true;
    this.kept.keep(bytes, start, end, isOfUse ? bodyBytes : 0);
  }

  get #isRepeatable(): boolean {
    return IDEMPOTENT.has((this.#request as RequestView).method) || this.#isSafeCall;
  }

  /** A gRPC method that its route says may be called twice. */
  get #isSafeCall(): boolean {
    const { safeMethods } = (this.#route as RouteSpec).rescue;
    return (
      safeMethods !== undefined &&
      this.#call.type !== null &&
      safeMethods.includes((this.#request as RequestView).target)
    );
  }

  onRequestEnd(trailers: Fields | null): void {
    this.#progress.requestEnded = true;
    this.#requestTrailers = trailers === null ? null : this.#passOn(trailers);
    this.#progress.responseActiveMs = this.#runtime.nowMs;
    this.#outbound?.sendEnd(this.#requestTrailers);
  }

  /** The override header is no less an operator's in a trailer. */
  #passOn(trailers: Fields): Fields | null {
    const { override } = this.#serving;
    const dropped = this.#droppedNames;
    return trailersWithout(trailers, override === null ? dropped : [...(dropped ?? []), override.name]);
  }

  /** The bytes at hand are used up. */
  flushRequest(): void {
    this.#outbound?.flushRequest();
  }

  onClientDrained(): void {
    if (!this.#progress.responseBlocked) return;
    this.#progress.responseBlocked = false;
    this.#progress.responseActiveMs = this.#runtime.nowMs;
    this.#outbound?.resumeResponse();
  }

  /** The client broke the connection or sent what is no HTTP in the middle of its body. */
  onClientGone(): void {
    if (this.#request === null) return;
    this.#dropOutbound();
    const nowMs = this.#runtime.clock();
    const isLate = this.#call.isLate(nowMs);
    if (isLate) this.#observation.fault('deadlineExceeded');
    this.#observation.attempt(isLate ? OUTCOME_FAULT : OUTCOME_CANCELLED, nowMs);
    this.#entry?.endedByClient();
    if (isLate) this.#entry?.failed('deadlineExceeded');
    this.#finish();
  }

  // From the backend's half.

  onConnected(): void {
    this.#observation.connected(this.#runtime.clock());
    if (!this.#progress.awaitsConnect) return;
    this.#progress.awaitsConnect = false;
    this.#progress.requestActiveMs = this.#runtime.nowMs;
    this.#inbound.resumeRequest();
  }

  onBackendDrained(): void {
    this.#progress.requestBlocked = false;
    this.#progress.requestActiveMs = this.#runtime.nowMs;
    if (!this.#progress.requestEnded && !this.#progress.awaitsConnect) this.#inbound.resumeRequest();
  }

  onInterim(response: ResponseView): void {
    this.kept.lose();
    this.#progress.responseActiveMs = this.#runtime.nowMs;
    this.#inbound.respondInterim(response);
  }

  onResponseHead(response: ResponseView): void {
    if (this.#call.type !== null && grpcStatus(response.fields) === UNAVAILABLE && this.#isRescuedCall()) return;
    this.#progress.responseStarted = true;
    this.kept.lose();
    this.#progress.responseActiveMs = this.#runtime.nowMs;
    this.#status = response.status;
    this.#entry?.head(this.#runtime.clock());
    this.#responseNominated = response.connection.nominated;
    if (this.#call.type !== null) this.#call.read(response.fields);
    this.#inbound.respondHead(response, this.#added);
  }

  /** A backend says UNAVAILABLE and nothing else (gRPC over HTTP/2, "Trailers-Only"): of a method that is safe, another is asked. */
  #isRescuedCall(): boolean {
    if (this.#route === null || !this.#isSafeCall || !this.#mayRepeat('upstreamReset', true)) return false;
    this.#lastPool = this.#pool;
    const isElsewhere = this.#hasAnotherWay('upstreamReset');
    if (!(isElsewhere || this.#mayTurn()) || !this.#isAffordable('grpcStatus')) return false;
    this.#dropOutbound();
    this.#entry?.faultByStatus(true);
    this.#observation.attemptByGrpc(UNAVAILABLE, this.#runtime.clock());
    this.#lastPool?.count(true);
    if (isElsewhere) this.#again('grpcStatus');
    else this.#turn('grpcStatus');
    return true;
  }

  /** False: the client cannot take more now. */
  onResponseBody(bytes: Buffer, start: number, end: number): boolean {
    this.#progress.responseActiveMs = this.#runtime.nowMs;
    this.#entry?.body(end - start);
    const flowing = this.#inbound.respondBody(bytes, start, end);
    this.#progress.responseBlocked = !flowing;
    return flowing;
  }

  flushResponse(): void {
    this.#inbound.flushResponse();
  }

  onResponseEnd(trailers: Fields | null): void {
    this.#letGo();
    const nowMs = this.#runtime.clock();
    const isFault = this.#settle(trailers, nowMs) === OUTCOME_FAULT;
    this.#lastPool?.count(isFault);
    if (isFault) this.#entry?.faultByStatus(this.#call.type !== null);
    this.#observation.response(this.#status, nowMs);
    this.#close();
    this.#inbound.respondEnd(trailersWithout(trailers, this.#responseNominated));
  }

  /** What the whole response proved: by the status of the call where there is one to be had, else by that of the head. */
  #settle(trailers: Fields | null, nowMs: number): OutcomeIndex {
    const call = this.#call;
    if (call.type !== null && trailers !== null) call.read(trailers);
    if (!call.tellsStatus) return this.#observation.attemptByStatus(this.#status, nowMs);
    this.#observation.grpcResponse(call.status);
    return this.#observation.attemptByGrpc(call.status, nowMs);
  }

  onTunnel(response: ResponseView, backend: Tunnel): void {
    const pool = this.#pool;
    this.#pool = null;
    this.#lastPool = pool;
    this.#outbound = null;
    this.#status = response.status;
    this.#entry?.head(this.#runtime.clock());
    const nowMs = this.#runtime.clock();
    pool?.count(this.#observation.attemptByStatus(response.status, nowMs) === OUTCOME_FAULT);
    this.#observation.tunnel(nowMs);
    const client = this.#inbound.openTunnel(response, this.#added);
    let open = 2;
    const onClose = (): void => {
      if (--open > 0) return;
      if (pool !== null) pool.inflight--;
      this.#observation.end();
      this.#close();
    };
    client.carryTo(backend, onClose);
    backend.carryTo(client, onClose);
  }

  /** The backend has chosen HTTP/1.1 where HTTP/2 was expected, before anything was sent: the same connection carries the request now. */
  onOtherProtocol(outbound: OutboundHalf): void {
    const pool = this.#pool as Pool;
    if (this.needsHttp2) return this.onUpstreamFailed(outbound, 'tlsFailed');
    // Refused by a session before, and part of its body is no longer here.
    if (this.kept.isLost) return this.onUpstreamFailed(outbound, 'upstreamRefused');
    this.#letGo();
    this.#observation.connected(this.#runtime.clock());
    if (!this.#ask(pool, false, true)) this.#wait(pool.pending);
  }

  onUpstreamFailed(outbound: OutboundHalf, code: ErrorCode): void {
    this.#letGo();
    if (code === 'connectRefused') this.#lastPool?.doubt.refused();
    else if (code === 'connectTimeout' || code === 'connectFailed' || outbound.isStale) this.#lastPool?.doubt.suspect();
    // A backend may close a kept connection just when a request is on its way: nobody's fault, and mended on a fresh connection.
    if (code === 'upstreamReset' && outbound.isStale && this.#mayRepeat(code, true)) {
      this.#attempts--;
      this.#forward(true);
      return;
    }
    const isCut = this.#progress.responseStarted && code === 'upstreamReset';
    this.#attemptFailed(isCut ? 'upstreamTruncated' : code, outbound.isUnanswered);
  }

  /** Whether another backend may be asked the same, without this one having seen what must be seen once. */
  #mayRepeat(code: ErrorCode, isUnanswered: boolean): boolean {
    if (this.kept.isLost || this.#progress.responseStarted || !isUnanswered) return false;
    const { retry } = ERRORS[code];
    return retry === 'nothingSent' || (retry === 'idempotent' && this.#isRepeatable);
  }

  /** The attempt under way, or the one that has just ended, proved a fault of the side. */
  #attemptFault(code: ErrorCode): void {
    this.#entry?.failed(code);
    this.#observation.fault(code);
    this.#observation.attempt(OUTCOME_FAULT, this.#runtime.clock());
    (this.#pool ?? this.#lastPool)?.count(true);
  }

  /** @param isUnanswered no byte of an answer has come */
  #attemptFailed(code: ErrorCode, isUnanswered = true): void {
    const isElsewhere = this.#mayRepeat(code, isUnanswered) && this.#hasAnotherWay(code) && this.#isAffordable(code);
    if (isElsewhere && (code === 'connectRefused' || code === 'upstreamRefused')) {
      // An endpoint that goes while others stay, or takes no more for now, is a rollout's ordinary course: the side mends it, and how that ends is what counts.
      this.#lastPool?.count(true);
      this.#again(code);
      return;
    }
    this.#attemptFault(code);
    if (!this.#mayRepeat(code, isUnanswered)) this.#answer(code);
    else if (isElsewhere) this.#again(code);
    else if (this.#mayTurn() && (code === 'noEndpoint' || this.#isAffordable(code))) this.#turn(code);
    else this.#answer(code);
  }

  /** Once more on the same side. */
  #again(fault: string): void {
    this.#rescue(fault);
    this.#forward(false);
  }

  /** Whoever wants to know of it is told what happened first. */
  #rescue(fault: string): void {
    this.#observation.rescue();
    this.#entry?.rescued(fault);
    const { responseField } = (this.#route as RouteSpec).rescue;
    if (responseField === undefined || this.#isRescued) return;
    this.#isRescued = true;
    this.#added = new AddedFields([...this.#added.flat, responseField, `${SIDES[this.#side]} ${fault}`]);
  }

  /** The other side rescues the request. */
  #turn(fault: string): void {
    this.#rescue(fault);
    this.#hasTurned = true;
    this.#side = this.#side === NEW ? OLD : NEW;
    this.#observation.turnTo(this.#side);
    this.#forward(false);
  }

  /**
   * Whether the other side may be asked: old always, new only where that is wished for, it takes traffic anyway, and nobody has stopped it;
   * and not when it is known to be down as well.
   */
  #mayTurn(): boolean {
    if (this.#hasTurned || this.#isOverridden) return false;
    const { snapshot, usable } = this.#serving;
    const { old, new: fresh, rescue } = this.#route as RouteSpec;
    if (rescue.budget === 0) return false;
    if (this.#side === OLD) {
      const takesTraffic = (snapshot.weightsPpm[this.#row] as number) > 0 && snapshot.held[this.#row] === 0;
      if (!rescue.toNew || !takesTraffic) return false;
    }
    const pools = usable[this.#side === NEW ? old : fresh] as readonly Pool[];
    return pools.some((pool) => (pool.caution & DOWN) === 0);
  }

  #isAffordable(code: ErrorCode | 'grpcStatus'): boolean {
    // Costs no backend anything, however many requests waited for the connection, and the endpoint is out of use from now on.
    if (code === 'connectRefused') return (this.#route as RouteSpec).rescue.budget > 0;
    return (this.#serving.budgets[this.#row] as RescueBudget).take(this.#runtime.nowMs);
  }

  /**
   * There is another endpoint of the side that was not tried and is not known to be down; or the only one did not take the connection in time,
   * as when its queue was full for a moment and the handshake's first packet was dropped, which the kernel repeats after a whole second only.
   */
  #hasAnotherWay(code: ErrorCode): boolean {
    if (this.#hasTurned || this.#attempts >= MAX_ATTEMPTS) return false;
    const pools = this.#pools;
    const isOther = pools.some((pool) => pool !== this.#lastPool && (pool.caution & DOWN) === 0);
    if (isOther || this.#mayTurn()) return isOther;
    return (code === 'connectTimeout' && pools.length === 1) || this.#ejected() !== null;
  }

  /** Ends the exchange by the proxy's own answer, or by cutting a response that has begun. */
  #answer(code: ErrorCode): void {
    countRejection(this.#serving.counts, code);
    this.#entry?.failed(code);
    const started = this.#progress.responseStarted;
    this.#dropOutbound();
    const type = this.#call.type;
    // gRPC says in the stream what became of the call; its HTTP status is 200 whatever happens.
    if (!started) this.#status = type === null ? ERRORS[code].status : 200;
    if (type !== null) {
      this.#call.status = ERRORS[code].grpcStatus;
      this.#observation.grpcResponse(this.#call.status);
    }
    this.#finish();
    if (started || ERRORS[code].status === 0) this.#inbound.cutResponse(code, type);
    else this.#inbound.respondError(code, type);
  }

  /** The client's half has answered by itself, or cut what had begun (a fault in the request's body). */
  failedByClient(status: number): void {
    if (this.#request === null) return;
    this.#dropOutbound();
    this.#observation.attempt(OUTCOME_CANCELLED, this.#runtime.clock());
    if (!this.#progress.responseStarted) this.#status = status;
    this.#entry?.endedByClient();
    this.#finish();
  }

  #finish(): void {
    this.#observation.response(this.#status, this.#runtime.clock());
    this.#close();
  }

  #close(): void {
    if (this.#entry !== null) this.#log(this.#entry);
    this.#entry = null;
    this.#request = null;
    this.#route = null;
  }

  #sideReason(): SideReason {
    if (this.#hasTurned) return 'rescue';
    if (this.#isOverridden) return 'override';
    return this.#keyHash === NO_KEY ? 'weight' : 'key';
  }

  #log(entry: AccessEntry): void {
    const { snapshot, trusted } = this.#serving;
    const { peer, protocol } = this.#inbound;
    entry.end(this.#runtime.clock(), {
      request: this.#request as RequestView,
      peer,
      trusted,
      protocol,
      revision: snapshot.revision,
      route: this.#route,
      side: this.#side,
      reason: this.#sideReason(),
      attempts: this.#attempts,
      status: this.#status,
      grpcStatus: this.#call.status,
      target: this.#lastPool?.target ?? null,
    });
  }

  #dropOutbound(): void {
    const outbound = this.#outbound;
    this.#letGo();
    outbound?.abandon();
  }

  #letGo(): void {
    this.#outbound = null;
    this.#queue?.leave(this);
    this.#queue = null;
    if (this.#pool !== null) {
      this.#pool.inflight--;
      this.#pool.pending?.wake();
      this.#lastPool = this.#pool;
    }
    this.#pool = null;
    this.#progress.awaitsConnect = false;
  }

  // Time.

  sweep(nowMs: number): void {
    const route = this.#route;
    if (this.#queue !== null) this.#sweepQueued(this.#queue, nowMs);
    if (route === null || this.#pool === null) return;
    this.#observation.sweep(nowMs);
    const code = nowMs >= this.#call.deadlineMs ? 'deadlineExceeded' : this.#progress.expired(route.timeouts, nowMs);
    if (code === null) return;
    if (ERRORS[code].source === 'upstream') {
      this.#attemptFault(code);
    } else {
      this.#observation.attempt(OUTCOME_CANCELLED, nowMs);
    }
    this.#answer(code);
  }

  /** No side is to blame for what happens here: nobody has been asked. */
  #sweepQueued(queue: PendingQueue, nowMs: number): void {
    const { deadlineMs } = this.#call;
    const { totalDeadlineMs } = this.#progress;
    if (nowMs < Math.min(this.#queuedUntilMs, totalDeadlineMs, deadlineMs)) {
      // As when a backend has come to allow more streams.
      queue.wake();
      return;
    }
    this.#observation.attempt(OUTCOME_CANCELLED, nowMs);
    if (nowMs >= deadlineMs) this.#answer('deadlineExceeded');
    else this.#answer(nowMs >= totalDeadlineMs ? 'totalTimeout' : 'pendingTimeout');
  }
}
