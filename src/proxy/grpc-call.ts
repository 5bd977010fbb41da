/** What an exchange knows of the gRPC call that it carries, if it is one. One an exchange. */
import type { Fields } from '../fields.ts';
import { grpcStatus, grpcTimeoutMs, grpcType, hasTrailers } from './grpc.ts';
import type { RequestView } from './halves.ts';

/** How much earlier than ours a client's clock may say that its deadline has passed: about the way of its request to us. */
const DEADLINE_SLACK_MS = 20;

export class GrpcCall {
  /** Content type; null: the request is no gRPC call. */
  type: string | null = null;
  /** What the response has said of its status so far. */
  status: number | undefined;
  /** When the client gives the call up, by the runtime's clock; infinite: never. */
  deadlineMs = Number.POSITIVE_INFINITY;

  /** For the next request. */
  begin(request: RequestView): void {
    this.type = grpcType(request);
    this.status = undefined;
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  startDeadline(request: RequestView, nowMs: number): void {
    this.deadlineMs = nowMs + grpcTimeoutMs(request.fields);
  }

  /** A client whose deadline has passed leaves a little before we see it pass: its backend was too slow. */
  isLate(nowMs: number): boolean {
    return nowMs >= this.deadlineMs - DEADLINE_SLACK_MS;
  }

  /** A head or trailers have come. */
  read(fields: Fields): void {
    this.status = grpcStatus(fields) ?? this.status;
  }

  /** Whether its status comes in trailers: of gRPC-Web it stands in the body, where it is not looked for. */
  get needsTrailers(): boolean {
    return this.type !== null && hasTrailers(this.type);
  }

  /** Whether its status says what became of it. */
  get tellsStatus(): boolean {
    return this.needsTrailers || this.status !== undefined;
  }
}
