/**
 * One request's life: match → assign → forward → observe. Stands between an inbound half and an outbound half and is told by both. One a
 * client connection or stream, begun anew for each request, so that a request makes no object of its own here.
 */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import { OUTCOME_CANCELLED, OUTCOME_FAULT, type OutcomeIndex } from '../domain/outcome.ts';
import { type RouteSpec, SIDES, type SideIndex } from '../domain/route.ts';
import type { Fields } from '../fields.ts';
import { AccessEntry } from './access-entry.ts';
import { AddedFields, NOTHING_ADDED } from './added-fields.ts';
import { Assignment } from './assignment.ts';
import { Attempts } from './attempts.ts';
import { chooseEndpoint, DOWN } from './choice.ts';
import { grpcStatus } from './grpc.ts';
import { GrpcCall } from './grpc-call.ts';
import { GrpcHealth, isHealthCall, namesHealth } from './grpc-health.ts';
import type { InboundHalf, OutboundHalf, RequestView, ResponseView } from './halves.ts';
import { KeptBody } from './kept-body.ts';
import { Observation } from './observation.ts';
import { overrideSide } from './override.ts';
import { Patience } from './patience.ts';
import type { Pending, PendingQueue } from './pending-queue.ts';
import type { Pool } from './pool.ts';
import { Progress } from './progress.ts';
import { countRejection } from './rejections.ts';
import { isRepeatable, isSafeCall, mayRepeatAfter } from './repeatable.ts';
import { RequestBody } from './request-body.ts';
import type { RescueBudget } from './rescue-budget.ts';
import { routeOf } from './routing.ts';
import type { Runtime, Serving } from './runtime.ts';
import type { Sweepable } from './sweeper.ts';
import { trailersWithout } from './trailers.ts';
import type { Tunnel } from './tunnel.ts';
import { Waiting } from './waiting.ts';

/** Of routeOf. */
const NO_ROUTE = -1;
/** How late a close that crossed a request on its way may be seen, beside the round trips, where processes stand still for a moment. */
const CROSSING_MS = 100;
/** Of gRPC (grpc.io, statuscodes). */
const UNAVAILABLE = 14;

export class Exchange implements Pending, Sweepable {
  readonly #runtime: Runtime;
  readonly #inbound: InboundHalf;
  readonly #observation: Observation;
  #serving: Serving;
  #request: RequestView | null = null;
  #route: RouteSpec | null = null;
  #outbound: OutboundHalf | null = null;
  readonly #assignment: Assignment;
  readonly #attempts: Attempts;
  /** The response says so. */
  #isRescued = false;
  /** Of the request that is under way, as long as another backend may have to be given it. */
  readonly kept = new KeptBody();
  #droppedNames: readonly string[] | null = null;
  /** Names that the response's Connection field gives to its own hop. */
  #responseNominated: readonly string[] | null = null;
  /** What the proxy adds to the response. */
  #added: AddedFields = NOTHING_ADDED;
  #status = 0;
  /** When the backend was asked, or the connection for that begun. */
  #askedMs = 0;
  readonly #call = new GrpcCall();
  readonly #progress = new Progress();
  readonly #body: RequestBody;
  readonly #waiting = new Waiting(this);
  readonly #patience: Patience;
  /** Null: the access log is off. */
  #entry: AccessEntry | null = null;

  constructor(runtime: Runtime, inbound: InboundHalf) {
    this.#runtime = runtime;
    this.#inbound = inbound;
    this.#serving = runtime.serving;
    this.#observation = new Observation(inbound.protocol);
    this.#assignment = new Assignment(runtime, inbound);
    this.#attempts = new Attempts(runtime);
    this.#body = new RequestBody(runtime, inbound, this.#progress, this.kept);
    this.#patience = new Patience(runtime, this, this.#call, this.#progress, this.#waiting);
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
    this.#attempts.begin();
    this.#droppedNames = request.connection.nominated;
    this.#added = NOTHING_ADDED;
    this.#status = 0;
    this.#isRescued = false;
    this.kept.begin();
    this.#body.begin(request.bodyLength);
    const { nowMs } = runtime;
    this.#progress.begin(nowMs);
    this.#call.begin(request);
    this.#entry = runtime.accessLog === null ? null : new AccessEntry(runtime.accessLog, nowMs);
    if (this.#call.type !== null && isHealthCall(request.target) && !this.#isHealthRouted(serving, request)) {
      this.#observation.beginUnrouted(serving.counts);
      // There is nobody else to ask.
      this.kept.lose();
      this.#outbound = new GrpcHealth(runtime, this);
      this.#outbound.sendHead(request, NOTHING_ADDED, null, this.#call.deadlineMs);
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
    (serving.budgets[index] as RescueBudget).requests++;
    const { totalMs } = route.timeouts;
    if (totalMs > 0) this.#progress.totalDeadlineMs = nowMs + totalMs;
    if (this.#call.type !== null) this.#call.startDeadline(request, nowMs);
    this.#assign(request, serving, index, nowMs);
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

  /** Whoever asked for the side is not judged. */
  #assign(request: RequestView, serving: Serving, index: number, nowMs: number): void {
    const assignment = this.#assignment;
    const overridden = this.#override(request, serving);
    if (overridden === undefined) assignment.draw(request, serving, index);
    else assignment.override(overridden);
    this.#added = assignment.added;
    this.#attempts.assigned(serving, index, assignment);
    this.#observation.begin(serving.counts, index, assignment.side, nowMs);
    if (overridden !== undefined) return;
    this.#observation.judge(serving.counts.tallies, serving.snapshot.eras[index] as number, assignment.keyHash);
  }

  /** One attempt: an endpoint of the side, a connection to it, the head. */
  #forward(fresh: boolean): void {
    const attempts = this.#attempts;
    const { pools } = attempts;
    let pool = chooseEndpoint(pools, this.#runtime.random, attempts.lastPool);
    attempts.count++;
    if (pool === null) {
      this.#attemptFailed('noEndpoint');
      return;
    }
    if ((pool.caution & DOWN) !== 0 && attempts.mayTurn()) {
      // Known to be down, with all others of its side: the request need not find it out.
      this.#observation.fault(pool.doubt.lastFailure);
      this.#entry?.failed(pool.doubt.lastFailure);
      this.#observation.attempt(OUTCOME_FAULT, this.#runtime.clock());
      this.#turn(pool.doubt.lastFailure);
      return;
    }
    if ((pool.caution & DOWN) !== 0) pool = attempts.ejected() ?? pool;
    const queue = pool.pending;
    // Who came before is served before.
    const isTurn = queue === null || queue.isEmpty;
    if (!isTurn || !this.#askAny(pools, pool, fresh, attempts.count > 1)) this.#wait(queue);
  }

  /** The endpoint chosen, or another when all of its connections are taken. False: there is none to be had. */
  #askAny(pools: readonly Pool[], chosen: Pool, fresh: boolean, isPaused: boolean): boolean {
    if (this.#ask(chosen, fresh, isPaused)) return true;
    for (const pool of pools) {
      if (pool !== chosen && (pool.caution & DOWN) === 0 && this.#ask(pool, fresh, isPaused)) return true;
    }
    return false;
  }

  /** Until a connection comes free. */
  #wait(queue: PendingQueue | null): void {
    if (!this.#waiting.begin(queue, this.#runtime.clock())) {
      this.#answer('poolExhausted');
      return;
    }
    this.#observation.connecting();
    this.#body.awaitConnection();
    this.#watch();
  }

  onTurn(): boolean {
    const { pools, lastPool } = this.#attempts;
    const chosen = chooseEndpoint(pools, this.#runtime.random, lastPool);
    if (chosen === null || !this.#askAny(pools, chosen, false, true)) return false;
    this.#waiting.end();
    return true;
  }

  /** @param isPaused the body may wait for a connection, one that has come to nothing or was not to be had. False: none is to be had now */
  #ask(pool: Pool, fresh: boolean, isPaused: boolean): boolean {
    const request = this.#request as RequestView;
    const outbound = pool.acquire(this, (this.#route as RouteSpec).timeouts, fresh);
    // Not by comparing: what is nearly always an object would be compared with a text by a call.
    if (typeof outbound === 'string') return false;
    if (!outbound.isConnected) this.#observation.connecting();
    else if (this.#waiting.isUnderWay) this.#observation.connected(this.#runtime.clock());
    this.#attempts.started(pool);
    this.#outbound = outbound;
    this.#askedMs = this.#runtime.nowMs;
    const forwarding = this.#inbound.forwarding.of(request);
    outbound.sendHead(request, forwarding, this.#droppedNames, this.#call.deadlineMs);
    this.#body.sendTo(outbound, isPaused);
    this.#watch();
    return true;
  }

  /** Whether a route asks for the health service by name: then its backends answer. */
  #isHealthRouted(serving: Serving, request: RequestView): boolean {
    const index = routeOf(serving.snapshot, request);
    return index !== -1 && namesHealth((serving.snapshot.routes[index] as RouteSpec).match);
  }

  // From the client's half.

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    if (!this.kept.isLost) this.#keep(bytes, start, end);
    this.#body.pass(this.#outbound, bytes, start, end);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const route = this.#route as RouteSpec;
    const isOfUse =
      isRepeatable(this.#request as RequestView, this.#call.type, route) || this.#outbound?.mayDecline === true;
    this.kept.keep(bytes, start, end, isOfUse ? route.rescue.bodyBytes : 0);
  }

  onRequestEnd(trailers: Fields | null): void {
    this.#body.end(this.#outbound, trailers === null ? null : this.#passOn(trailers));
    this.#watch();
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
    this.#progress.responseActiveMs = this.#runtime.tick();
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

  // From the backend's half, which reads the clock when it has read something.

  onConnected(): void {
    this.#observation.connected(this.#runtime.clock());
    this.#body.onConnected();
  }

  onBackendDrained(): void {
    this.#body.onDrained();
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
    if (this.#route === null || !isSafeCall(this.#request as RequestView, this.#call.type, this.#route)) return false;
    if (!this.#mayRepeat('upstreamReset', true)) return false;
    const attempts = this.#attempts;
    const isElsewhere = attempts.hasAnotherWay('upstreamReset');
    if (!(isElsewhere || attempts.mayTurn()) || !attempts.isAffordable('grpcStatus')) return false;
    this.#dropOutbound();
    this.#entry?.faultByStatus(true);
    this.#observation.attemptByGrpc(UNAVAILABLE, this.#runtime.clock());
    attempts.lastPool?.count(true);
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
    const { nowMs } = this.#runtime;
    const isFault = this.#settle(trailers, nowMs) === OUTCOME_FAULT;
    this.#attempts.lastPool?.count(isFault);
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
    const pool = this.#attempts.handOver();
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
    const pool = this.#attempts.pool as Pool;
    if (this.needsHttp2) return this.onUpstreamFailed(outbound, 'tlsFailed');
    // Refused by a session before, and part of its body is no longer here.
    if (this.kept.isLost) return this.onUpstreamFailed(outbound, 'upstreamRefused');
    this.#letGo();
    this.#observation.connected(this.#runtime.clock());
    if (!this.#ask(pool, false, true)) this.#wait(pool.pending);
  }

  onUpstreamFailed(outbound: OutboundHalf, code: ErrorCode): void {
    // Nothing has been read, and what the client has asked next may begin now.
    this.#runtime.tick();
    this.#letGo();
    if (ERRORS[code].source === 'proxy') {
      // No side is to blame.
      this.#observation.attempt(OUTCOME_CANCELLED, this.#runtime.clock());
      this.#answer(code);
      return;
    }
    if (code === 'connectRefused') this.#attempts.refused();
    else if (code === 'connectTimeout' || code === 'connectFailed' || outbound.isStale)
      this.#attempts.lastPool?.doubt.suspect();
    // A backend may close a kept connection just when a request is on its way: nobody's fault, and mended on a fresh connection.
    if (code === 'upstreamReset' && outbound.isStale && this.#mayRepeat(code, true) && this.#attempts.renew()) {
      if (!this.#mayHaveCrossed()) {
        this.#attemptFault(code);
        this.#rescue(code);
      }
      this.#forward(true);
      return;
    }
    const isCut = this.#progress.responseStarted && code === 'upstreamReset';
    this.#attemptFailed(isCut ? 'upstreamTruncated' : code, outbound.isUnanswered);
  }

  /** Whether the close that ended the attempt can have been under way when the request left. Later it is the end of a backend that was at work. */
  #mayHaveCrossed(): boolean {
    const roundTripMs = this.#attempts.lastPool?.connectMs ?? 0;
    return this.#runtime.clock() - this.#askedMs <= CROSSING_MS + 2 * roundTripMs;
  }

  /** Whether another backend may be asked the same, without this one having seen what must be seen once. */
  #mayRepeat(code: ErrorCode, isUnanswered: boolean): boolean {
    if (this.kept.isLost || this.#progress.responseStarted || !isUnanswered) return false;
    return mayRepeatAfter(code, this.#request as RequestView, this.#call.type, this.#route as RouteSpec);
  }

  /** The attempt under way, or the one that has just ended, proved a fault of the side. */
  #attemptFault(code: ErrorCode): void {
    this.#entry?.failed(code);
    this.#observation.fault(code);
    this.#observation.attempt(OUTCOME_FAULT, this.#runtime.clock());
    this.#attempts.latestPool?.count(true);
  }

  /** @param isUnanswered no byte of an answer has come */
  #attemptFailed(code: ErrorCode, isUnanswered = true): void {
    const attempts = this.#attempts;
    const isElsewhere =
      this.#mayRepeat(code, isUnanswered) && attempts.hasAnotherWay(code) && attempts.isAffordable(code);
    if (isElsewhere && (code === 'connectRefused' || code === 'upstreamRefused')) {
      // An endpoint that goes while others stay, or takes no more for now, is a rollout's ordinary course: the side mends it, and how that ends is what counts.
      attempts.lastPool?.count(true);
      this.#again(code);
      return;
    }
    this.#attemptFault(code);
    if (!this.#mayRepeat(code, isUnanswered)) this.#answer(code);
    else if (isElsewhere) this.#again(code);
    else if (attempts.mayTurn() && (code === 'noEndpoint' || attempts.isAffordable(code))) this.#turn(code);
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
    this.#added = new AddedFields([...this.#added.flat, responseField, `${SIDES[this.#attempts.side]} ${fault}`]);
  }

  /** The other side rescues the request. */
  #turn(fault: string): void {
    this.#rescue(fault);
    this.#attempts.turn();
    this.#observation.turnTo(this.#attempts.side);
    this.#forward(false);
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

  #log(entry: AccessEntry): void {
    const { snapshot, trusted } = this.#serving;
    const { peer, protocol } = this.#inbound;
    const attempts = this.#attempts;
    entry.end(this.#runtime.clock(), {
      request: this.#request as RequestView,
      peer,
      trusted,
      protocol,
      revision: snapshot.revision,
      route: this.#route,
      side: attempts.side,
      reason: attempts.hasTurned ? 'rescue' : this.#assignment.reason,
      attempts: attempts.count,
      status: this.#status,
      grpcStatus: this.#call.status,
      target: attempts.lastPool?.target ?? null,
    });
  }

  #dropOutbound(): void {
    const outbound = this.#outbound;
    this.#letGo();
    outbound?.abandon();
  }

  #letGo(): void {
    this.#outbound = null;
    this.#waiting.end();
    this.#attempts.ended();
    this.#progress.awaitsConnect = false;
  }

  // Time.

  sweep(nowMs: number): void {
    const route = this.#route;
    const isWaiting = this.#waiting.isUnderWay;
    if (route === null || (!isWaiting && this.#attempts.pool === null)) return;
    if (!isWaiting) this.#observation.sweep(nowMs);
    const code = this.#patience.expired(route.timeouts, nowMs);
    if (code === null) {
      if (isWaiting) this.#waiting.wake();
      this.#patience.watch(route.timeouts, nowMs);
      return;
    }
    // No side is to blame while nobody has been asked.
    if (!isWaiting && ERRORS[code].source === 'upstream') this.#attemptFault(code);
    else this.#observation.attempt(OUTCOME_CANCELLED, nowMs);
    this.#answer(code);
  }

  #watch(): void {
    if (this.#route !== null) this.#patience.watch(this.#route.timeouts, this.#runtime.nowMs);
  }
}
