/**
 * The two halves of an Exchange, so that any inbound protocol meets any outbound one: an inbound half is a client's request being
 * answered, an outbound half the same request being asked of a backend. The exchange stands between them and is told by both.
 */
import type { ErrorCode } from '../domain/errors.ts';
import type { Fields, Finding } from '../fields.ts';
import type { AddedFields } from './added-fields.ts';
import type { Forwarding } from './forwarding.ts';
import type { Tunnel } from './tunnel.ts';

/** What a message says about the hop that it came by (RFC 9110 section 7.6.1); nothing in HTTP/2. */
export interface HopOptions {
  readonly upgrade: boolean;
  /** Lower-case names of fields that are meant for that hop only; null: none. */
  readonly nominated: readonly string[] | null;
}

/** A request as the exchange and an outbound half read it; good until the exchange is over. */
export interface RequestView {
  readonly method: string;
  /** Origin-form or `*`, to be forwarded untouched. */
  readonly target: string;
  readonly authority: string;
  readonly fields: Fields;
  /** Bytes, NO_BODY or CHUNKED (unknown until its end). */
  readonly bodyLength: number;
  readonly connection: HopOptions;
  /** Its route, by the matcher. */
  readonly route: Finding;
}

/** A response as the exchange and an inbound half read it; good until its end. */
export interface ResponseView {
  readonly status: number;
  /** '' where the protocol has none. */
  readonly reason: string;
  readonly fields: Fields;
  /** Bytes, NO_BODY, CHUNKED or UNTIL_CLOSE. */
  readonly bodyLength: number;
  readonly connection: HopOptions;
}

/** Who is at the other end of the client's connection. */
export interface Peer {
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** Whether what it says about its own clients is believed. */
  readonly isTrusted: boolean;
  /** What backends are told of its certificate, as an element of x-forwarded-client-cert; null: it has none, or they are not told. */
  readonly certificate: string | null;
}

/** What an exchange asks of the client's half. */
export interface InboundHalf {
  /** Index into PROTOCOLS. */
  readonly protocol: number;
  readonly peer: Peer;
  readonly forwarding: Forwarding;
  /** 1xx responses other than 101. */
  respondInterim(response: ResponseView): void;
  respondHead(response: ResponseView, added: AddedFields): void;
  /** False: no more until the exchange's `onClientDrained`. The bytes may be reused when the call returns. */
  respondBody(bytes: Buffer, start: number, end: number): boolean;
  respondEnd(trailers: Fields | null): void;
  /** What was held back to be sent together leaves now. */
  flushResponse(): void;
  /** The proxy's own answer instead of a backend's. @param grpcType content type of a gRPC call; null: it is none */
  respondError(code: ErrorCode, grpcType: string | null): void;
  /** The response has begun and cannot be finished: the client must not take it for whole. */
  cutResponse(code: ErrorCode, grpcType: string | null): void;
  pauseRequest(): void;
  resumeRequest(): void;
  /** Becomes the client's end of a tunnel after the backend's 101. */
  openTunnel(response: ResponseView, added: AddedFields): Tunnel;
}

/** What an exchange asks of the backend's half. */
export interface OutboundHalf {
  /** Whether an earlier request has used this connection and no byte of an answer has come: then its closing may be mere bad luck. */
  readonly isStale: boolean;
  /** No byte of an answer to this request has come. */
  readonly isUnanswered: boolean;
  /** Whether the backend may say that it has not looked at the request (RFC 9113 section 8.7), so that any may be asked again. */
  readonly mayDecline: boolean;
  /** Whether the connection is made, so that bytes sent now leave. */
  readonly isConnected: boolean;
  /**
   * @param forwarding added in the place of the request's own fields of these names
   * @param droppedNames lower-case names to leave out, or null
   * @param deadlineMs of a gRPC call, by the runtime's clock: the backend is told the time that is left when the head leaves; infinite: none
   */
  sendHead(
    request: RequestView,
    forwarding: AddedFields,
    droppedNames: readonly string[] | null,
    deadlineMs: number,
  ): void;
  /** False: no more until the exchange's `onBackendDrained`. The bytes are the half's from now on. */
  sendBody(bytes: Buffer, start: number, end: number): boolean;
  sendEnd(trailers: Fields | null): void;
  /**
   * What was held back to be sent together leaves now. Requests that have come in one read leave behind the last of them: what is written in one go finds
   * its reader awake, and to wake it costs more than to read the request.
   */
  flushRequest(): void;
  pauseResponse(): void;
  resumeResponse(): void;
  /** The exchange wants nothing more of it: whatever was under way is broken off. */
  abandon(): void;
}
